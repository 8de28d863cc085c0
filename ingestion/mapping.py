"""Applies one table of a layout: records with their fields, values with item, unit and place.

Belongs here: column → field, column → item, the account of every column. Does not belong here: whether a
value is acceptable (schemas), how bytes became a table (readers), what a unit is worth (seeds).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import polars as pl

from ingestion import spans
from ingestion.contracts.numbers import plain_number, unit_spelling
from ingestion.layouts import FieldSpec, TableSpec, ValueSpec
from ingestion.tables import Column, Table

_DATE_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y-%m-%d %H:%M:%S")
_STAMP_FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y-%m-%dT%H:%M:%S",
)
_HOUR_24 = r"([ T])24:00"
_MOMENT_FORMATS = ("%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%dT%H:%M:%S%.f%z")


@dataclass
class Mapped:
    """What one table gives.

    `records`: one row per record: row_number, n_cells, every field of the layout, `problem` (reason code or
    null), `problem_column`. `values`: one row per value cell: the record's fields and row_number,
    column_number, item_code, value_text, unit_text. `n_ignored_cells` counts cells in columns that the
    layout ignores or does not know, by row in `ignored_by_row`.
    """

    records: pl.DataFrame
    values: pl.DataFrame
    unknown_columns: list[Column] = field(default_factory=list)
    net_columns: list[int] = field(default_factory=list)
    ignored_by_row: pl.DataFrame = field(default_factory=pl.DataFrame)


@dataclass(frozen=True)
class Surroundings:
    """What lies outside the table and a layout may still ask for: the path and cells found by label."""

    path: str
    labels: dict[tuple[str | None, str], str]


def field_columns(spec: TableSpec) -> set[str]:
    names = {name for item in spec.fields.values() for name in item.column_names}
    return names | {value.unit.column for value in spec.values if value.unit.column}


def missing_columns(table: Table, spec: TableSpec) -> list[str]:
    """Required fields whose column the table does not have, and days whose columns are not complete."""
    fields = [
        "/".join(item.column_names)
        for item in spec.fields.values()
        if item.column_names and not item.optional and table.column(item.column_names) is None
    ]
    days = [
        f"{1440 // value.slots.minutes} × {value.columns}"
        for value in spec.values
        if value.slots is not None
        and value.slots.named_by == "order"
        and sum(bool(re.fullmatch(value.columns, column.name)) for column in table.columns)
        != 1440 // value.slots.minutes
    ]
    return fields + days


def repeated_headers(table: Table, spec: TableSpec) -> list[Column]:
    """Columns the layout reads whose name stands over more than one: nobody could say which is meant."""
    read = [
        column
        for column in table.columns
        if column.name in field_columns(spec)
        or any(re.fullmatch(value.columns, column.name) for value in spec.values)
    ]
    names = [column.name for column in read]
    return [column for column in read if names.count(column.name) > 1]


def apply(table: Table, spec: TableSpec, around: Surroundings, types: dict[str, pl.DataType]) -> Mapped:
    """Map one table. No row is dropped: a record whose key cannot be read keeps its `problem`.

    `types` are the columns of the target: the fields that a value column may replace.
    """
    records = _records(table, spec, around)
    if spec.ends_at_next:
        records = spans.until_the_next(records)
    values, used = _values(table, spec, records, types)
    net = [value.columns for value in spec.values if value.net]
    net_columns = [
        column.number
        for column in table.columns
        if column.name in used and any(re.fullmatch(pattern, column.name) for pattern in net)
    ]
    used |= {column.name for column in table.columns if column.name in field_columns(spec)}
    ignored, unknown = [], []
    for column in table.columns:
        if column.name in used:
            continue
        if not column.name or any(re.fullmatch(rule.columns, column.name) for rule in spec.ignore_columns):
            ignored.append(column)
        else:
            unknown.append(column)
    aside = [f"c{column.number}" for column in ignored + unknown]
    ignored_by_row = table.frame.select(
        "row_number",
        n_ignored=pl.sum_horizontal([pl.col(name).is_not_null() for name in aside]).cast(pl.Int64)
        if aside
        else pl.lit(0, dtype=pl.Int64),
    )
    return Mapped(records, values, unknown, net_columns, ignored_by_row)


def _records(table: Table, spec: TableSpec, around: Surroundings) -> pl.DataFrame:
    cells = [f"c{column.number}" for column in table.columns]
    frame = table.frame.select(
        "row_number",
        (
            pl.sum_horizontal([pl.col(name).is_not_null() for name in cells]).cast(pl.Int64)
            if cells
            else pl.lit(0, dtype=pl.Int64)
        ).alias("n_cells"),
        *[_field(table, item, around).alias(f"text_{name}") for name, item in spec.fields.items()],
    )
    if table.n_more:
        frame = frame.with_columns(
            n_cells=pl.col("n_cells")
            + pl.col("row_number").replace_strict(dict(table.n_more), default=0, return_dtype=pl.Int64)
        )
    problems = []
    for name, item in spec.fields.items():
        text = pl.col(f"text_{name}")
        frame = frame.with_columns(_typed(name, item, text))
        typed = pl.col("year" if item.kind == "period" else name)
        if not item.optional:
            problems.append(pl.when(text.is_null()).then(pl.lit(f"missing_{name}")))
        problems.append(pl.when(text.is_not_null() & typed.is_null()).then(pl.lit(f"bad_{name}")))
    found = pl.coalesce(problems) if problems else pl.lit(None, dtype=pl.String)
    return (
        frame.with_columns(problem=found)
        .with_columns(
            problem_found=pl.coalesce(
                [
                    pl.when(pl.col("problem").is_in([f"missing_{name}", f"bad_{name}"])).then(
                        pl.col(f"text_{name}")
                    )
                    for name in spec.fields
                ]
            )
            if spec.fields
            else pl.lit(None, dtype=pl.String)
        )
        .drop([f"text_{name}" for name in spec.fields])
    )


def _field(table: Table, spec: FieldSpec, around: Surroundings) -> pl.Expr:
    """The text of a field for every record, null where it is not given."""
    text: str | None
    if spec.column_names:
        column = table.column(spec.column_names)
        if column is None:
            return pl.lit(None, dtype=pl.String)
        return pl.col(f"c{column.number}").str.strip_chars()
    if spec.constant is not None:
        text = spec.constant
    elif spec.path is not None:
        text = _first_group(spec.path, around.path)
    elif spec.element is not None:
        text = table.elements.get(spec.element)
    elif spec.sheet is not None:
        text = _first_group(spec.sheet, table.sheet or "")
    else:
        text = around.labels.get((spec.on_sheet, spec.label or ""))
    return pl.lit(text, dtype=pl.String)


def _first_group(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text)
    return found.group(1) if found else None


def _typed(name: str, spec: FieldSpec, text: pl.Expr) -> list[pl.Expr]:
    """Typed column(s) of a field; null where the text does not fit the kind."""
    if spec.matches is not None:
        text = pl.when(text.str.contains(f"^(?:{spec.matches})$")).then(text)
    if spec.lookup is not None:
        text = text.replace_strict(spec.lookup, default=None, return_dtype=pl.String)
    if spec.kind == "integer":
        return [text.str.extract(r"^(-?\d{1,9})(?:\.0+)?$", 1).cast(pl.Int32).alias(name)]
    if spec.kind == "number":
        return [_plain(text).alias(name)]
    if spec.kind == "date":
        return [_stamp(text, spec, _DATE_FORMATS).dt.date().alias(name)]
    if spec.kind == "year":
        return [_stamp(text, spec, _DATE_FORMATS).dt.year().cast(pl.Int32).alias(name)]
    if spec.kind == "datetime":
        if spec.zone is not None:
            usual = _MOMENT_FORMATS if spec.clock is None else _STAMP_FORMATS
            return spans.local(_stamp(text, spec, usual), name, spec.zone)
        stamp = _stamp(text, spec, _STAMP_FORMATS)
        return [(stamp + pl.duration(days=1) if spec.whole_day else stamp).alias(name)]
    if spec.kind == "period":
        return _period(text)
    return [text.alias(name)]


def _stamp(text: pl.Expr, spec: FieldSpec, usual: tuple[str, ...]) -> pl.Expr:
    """The moment a text says, in the layout's own form if it names one. `18` is no year of four digits."""
    forms = [spec.format] if isinstance(spec.format, str) else spec.format or usual
    if forms == ["epoch"]:
        seconds = text.str.extract(r"^(\d{1,11})$", 1).cast(pl.Int64)
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
        # an hour that the clock shows twice says no moment: such a text cannot be read
        stamp = stamp.dt.replace_time_zone(spec.clock, ambiguous="null", non_existent="null")
    return stamp if spec.format is None else pl.when(stamp.dt.year() >= 1900).then(stamp)


def _period(text: pl.Expr) -> list[pl.Expr]:
    """Platform period: characters 1-4 year, 5 any (Q marks a quarter), 6-7 month; 00, or year alone, is annual."""
    year = text.str.extract(r"^(\d{4})(?:年|年?.?\d{2}月?|Q0?[1-4])?$", 1).cast(pl.Int32)
    quarter = text.str.extract(r"^\d{4}.?Q0?([1-4])$", 1).cast(pl.Int32)
    month = text.str.extract(r"^\d{4}[^Q]?(\d{2})月?$", 1).cast(pl.Int32)
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


def _plain(text: pl.Expr) -> pl.Expr:
    """Plain decimal text; the slow path runs once per distinct text that is not plain already."""
    plain = text.str.extract(r"^(-?\d+(?:\.\d+)?)$", 1)
    odd = (
        pl.when(plain.is_null())
        .then(text)
        .map_batches(
            lambda column: (
                column.to_frame("t")
                .select(
                    pl.col("t").replace_strict(
                        {t: plain_number(t) for t in column.unique().drop_nulls().to_list()} or {"": None},
                        default=None,
                        return_dtype=pl.String,
                    )
                )
                .to_series()
            ),
            return_dtype=pl.String,
        )
    )
    return pl.coalesce(plain, odd)


def _values(
    table: Table, spec: TableSpec, records: pl.DataFrame, types: dict[str, pl.DataType]
) -> tuple[pl.DataFrame, set[str]]:
    """Value cells of the records whose key is sound, in file order."""
    parts, used = [], set()
    taken = field_columns(spec)
    keys = records.drop("n_cells", "problem_found")
    for value in spec.values:
        pattern = re.compile(value.columns)
        n_matched = 0
        for column in table.columns:
            found = pattern.fullmatch(column.name)
            if found is None or column.name in used or column.name in taken:
                continue
            used.add(column.name)
            cells = table.frame.select(
                "row_number",
                value_text=pl.col(f"c{column.number}"),
                unit_text=_unit(table, value, column, found),
            )
            if value.unit.fields is not None:
                cells = cells.drop("unit_text")
            part = keys.join(cells, on="row_number", how="inner", maintain_order="left").filter(
                pl.col("value_text").is_not_null()
                & ~pl.col("value_text").is_in(value.nothing)
                & pl.col("problem").is_null()
            )
            if value.unit.fields is not None:
                said = pl.concat_str(
                    [pl.col(name).cast(pl.String) for name in value.unit.fields], separator=" "
                )
                part = part.with_columns(unit_text=said.replace(value.unit.lookup or {}))
            part = part.with_columns(
                column_number=pl.lit(column.number, dtype=pl.Int32),
                item_code=_item(value, found, keys.columns),
            )
            n_matched += 1
            part = part.with_columns(_replaced(value, found, types))
            if value.year_offset and "year" in part.columns:
                part = part.with_columns(pl.col("year") + value.year_offset)
            if value.slots is not None:
                part = part.with_columns(spans.of_column(value.slots, found, n_matched))
            parts.append(part.drop("problem"))

    if not parts:
        return pl.DataFrame(), used
    frame = pl.concat(parts, how="diagonal_relaxed").sort("row_number", "column_number", maintain_order=True)
    if table.units_by_item:
        stated = pl.col("item_code").replace_strict(table.units_by_item, default=None, return_dtype=pl.String)
        frame = frame.with_columns(unit_text=pl.coalesce("unit_text", stated))
    spelled = {text: unit_spelling(text) for text in frame["unit_text"].unique().drop_nulls().to_list()}
    if spelled:
        frame = frame.with_columns(
            pl.col("unit_text").replace_strict(spelled, default=None, return_dtype=pl.String)
        )
    return frame.with_columns(number_text=_plain(pl.col("value_text"))), used


def _replaced(value: ValueSpec, found: re.Match[str], types: dict[str, pl.DataType]) -> list[pl.Expr]:
    """Fields that hold for one value column: named groups of its pattern, and the texts of `fields`."""
    texts = {name: text for name, text in found.groupdict().items() if text}
    texts |= {name: found.expand(text) for name, text in value.fields.items()}
    return [pl.lit(text).cast(types[name]).alias(name) for name, text in texts.items() if name in types]


def _unit(table: Table, value: ValueSpec, column: Column, found: re.Match[str]) -> pl.Expr:
    if value.unit.column is not None:
        unit_column = table.column([value.unit.column])
        return pl.col(f"c{unit_column.number}") if unit_column else pl.lit(None, dtype=pl.String)
    if value.unit.constant is not None:
        return pl.lit(found.expand(value.unit.constant))
    return pl.lit(column.unit, dtype=pl.String)


def _item(value: ValueSpec, found: re.Match[str], fields: list[str]) -> pl.Expr:
    if value.item.startswith("{") and value.item.endswith("}"):
        name = value.item[1:-1]
        item = pl.col(name) if name in fields else pl.lit(None, dtype=pl.String)
    else:
        item = pl.lit(found.expand(value.item), dtype=pl.String)
    if value.lookup is not None:
        item = pl.coalesce(item.replace_strict(value.lookup, default=None, return_dtype=pl.String), item)
    return item
