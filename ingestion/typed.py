"""Texts of cells as typed columns: numbers, years, periods, dates and moments, null where a text is none of it.

Belongs here: what a text must look like to be of a kind. Does not belong here: which column a text comes from
(`mapping`), whether the value is acceptable (schemas).
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ingestion import spans
from ingestion.contracts.numbers import plain_number
from ingestion.layouts.fields import FieldSpec

_DATE_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y-%m-%d %H:%M:%S")
STAMP_FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y-%m-%dT%H:%M:%S",
)
_HOUR_24 = r"([ T])24:00"
_MOMENT_FORMATS = ("%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%dT%H:%M:%S%.f%z")


def typed_columns(name: str, spec: FieldSpec, text: pl.Expr, meter: Sequence[str] = ()) -> list[pl.Expr]:
    """Typed column(s) of a field; null where the text does not fit the kind, in no form that the field may have.

    `meter` are the columns that tell whose stamps follow each other, for clocks that show an hour twice.
    """
    if spec.otherwise is not None:
        return [pl.coalesce([_typed_as(name, origin, text, meter)[0] for origin in spec.origins]).alias(name)]
    return _typed_as(name, spec, text, meter)


def _typed_as(name: str, spec: FieldSpec, text: pl.Expr, meter: Sequence[str]) -> list[pl.Expr]:
    if spec.part is not None:
        text = text.str.extract(spec.part, 1)
    if spec.matches is not None:
        text = pl.when(text.str.contains(f"^(?:{spec.matches})$")).then(text)
    if spec.lookup is not None:
        text = text.replace_strict(spec.lookup, default=None, return_dtype=pl.String)
    if spec.kind == "integer":
        return [text.str.extract(r"^(-?[0-9]{1,9})(?:\.0+)?$", 1).cast(pl.Int32).alias(name)]
    if spec.kind == "number":
        return [plain(text).alias(name)]
    if spec.kind == "date":
        return [_stamp(text, spec, _DATE_FORMATS).dt.date().alias(name)]
    if spec.kind == "year":
        return [_stamp(text, spec, _DATE_FORMATS).dt.year().cast(pl.Int32).alias(name)]
    if spec.kind == "datetime":
        if spec.zone is not None:
            usual = _MOMENT_FORMATS if spec.clock is None else STAMP_FORMATS
            return spans.local(_stamp(text, spec, usual, meter), name, spec.zone)
        stamp = _stamp(text, spec, STAMP_FORMATS)
        return [(stamp + pl.duration(days=1) if spec.whole_day else stamp).alias(name)]
    if spec.kind == "period":
        return _period(text)
    return [text.alias(name)]


def _stamp(text: pl.Expr, spec: FieldSpec, usual: tuple[str, ...], meter: Sequence[str] = ()) -> pl.Expr:
    """The moment a text says, in the layout's own form if it names one. `18` is no year of four digits."""
    forms = [spec.format] if isinstance(spec.format, str) else spec.format or usual
    if forms == ["epoch"]:
        seconds = text.str.extract(r"^([0-9]{1,11})$", 1).cast(pl.Int64)
        return pl.from_epoch(seconds, "s").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if spec.zone is not None:
        text = text.str.replace(r"Z$", "+00:00")
    is_end_of_day = text.str.contains(_HOUR_24)
    if spec.hour_24:
        text = text.str.replace(_HOUR_24, "${1}00:00")
    stamp = pl.coalesce([text.str.to_datetime(form, strict=False) for form in forms])
    if spec.hour_24:
        stamp = pl.when(is_end_of_day).then(stamp.dt.offset_by("1d")).otherwise(stamp)
    if spec.clock is not None:
        # in an hour that the clock shows twice, a text that stands once says no moment: it cannot be read
        ambiguous = spans.which_pass(stamp, meter) if spans.repeats_hours(spec.clock) else pl.lit("null")
        stamp = stamp.dt.replace_time_zone(spec.clock, ambiguous=ambiguous, non_existent="null")
    return stamp if spec.format is None else pl.when(stamp.dt.year() >= 1900).then(stamp)


def _period(text: pl.Expr) -> list[pl.Expr]:
    """Platform period: characters 1-4 year, 5 any (Q marks a quarter), 6-7 month; 00, or year alone, is annual."""
    year = text.str.extract(r"^([0-9]{4})(?:年|年?[^Q]?[0-9]{2}月?|Q0?[1-4])?$", 1).cast(pl.Int32)
    quarter = text.str.extract(r"^[0-9]{4}.?Q0?([1-4])$", 1).cast(pl.Int32)
    month = text.str.extract(r"^[0-9]{4}[^Q]?([0-9]{2})月?$", 1).cast(pl.Int32)
    fits = pl.coalesce(month, pl.lit(0)) <= 12
    kind = (
        pl.when(quarter.is_not_null())
        .then(pl.lit("quarter"))
        .when(pl.coalesce(month, pl.lit(0)) > 0)
        .then(pl.lit("month"))
        .otherwise(pl.lit("year"))
    )
    return [
        pl.when(fits).then(year).alias("year"),
        kind.alias("period_kind"),
        pl.coalesce(quarter, month, pl.lit(0)).cast(pl.Int32).alias("period_index"),
    ]


def plain(text: pl.Expr) -> pl.Expr:
    """Plain decimal text; a column that holds no other is taken as it is."""
    return text.map_batches(_plain, return_dtype=pl.String)


_PLAIN = r"^-?[0-9]+(?:\.[0-9]+)?$"


def _plain(column: pl.Series) -> pl.Series:
    """The slow path runs once per distinct text that is not plain already."""
    is_plain = column.str.contains(_PLAIN)
    if is_plain.all():
        return column
    odd = column.filter(~is_plain).unique().to_list()
    numbers = {text: plain_number(text) for text in odd}
    return column.replace(numbers)
