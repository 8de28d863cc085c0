"""What the home's declarations put beside what a file says: code mappings and corrections.

Belongs here: applying `codes.yml` and `corrections.yml` to mapped rows, counting how often each line applied.
Does not belong here: what the lines mean (contracts), which of them found nothing (quality).
"""

from __future__ import annotations

from collections import Counter

import polars as pl

from ingestion.contracts.codes import CodeMapping
from ingestion.contracts.corrections import Correction
from ingestion.contracts.numbers import plain_number, unit_spelling

CORRECTION_COLUMNS = ("correction_id", "corrected_number_text", "corrected_unit_text")
CodeKey = tuple[str, str | None, str, str]
_COLUMN_OF = {
    "item": "item_code",
    "unit": "unit_text",
    "institution_type": "institution_type_code",
    "region": "region_code",
}


def settle_codes(
    rows: pl.DataFrame, source: str, form: str, codes: list[CodeMapping], columns: list[str]
) -> tuple[pl.DataFrame, Counter[CodeKey]]:
    """Read mapped codes as what they mean. Values keep the submitted item code and the submitted unit beside it."""
    applied: Counter[CodeKey] = Counter()
    keeps_item, keeps_unit = "submitted_item_code" in columns, "corrected_unit_text" in columns
    if keeps_item:
        rows = rows.with_columns(submitted_item_code=pl.lit(None, dtype=pl.String))
    if keeps_unit:
        rows = rows.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in CORRECTION_COLUMNS)
    # a mapping reads what the file says, never what another mapping made of it
    submitted = rows
    for code in codes:
        column = _COLUMN_OF[code.kind]
        if code.source != source or code.form not in (None, form) or column not in rows.columns:
            continue
        is_unit = code.kind == "unit"
        found = unit_spelling(code.found) if is_unit else code.found
        means = unit_spelling(code.means) if is_unit else code.means
        at = (submitted[column] == found).fill_null(False)
        applied[code.key] += int(at.sum())
        target = "corrected_unit_text" if is_unit and keeps_unit else column
        rows = rows.with_columns(pl.when(at).then(pl.lit(means)).otherwise(target).alias(target))
        if code.kind == "item" and keeps_item:
            rows = rows.with_columns(
                submitted_item_code=pl.when(at).then(pl.lit(found)).otherwise("submitted_item_code")
            )
    return rows, applied


def correct_values(
    rows: pl.DataFrame, source: str, form: str, corrections: list[Correction]
) -> tuple[pl.DataFrame, Counter[str]]:
    """Put corrections beside the submitted values they expect; count how often each one applied."""
    applied: Counter[str] = Counter()
    for item in corrections:
        if item.source != source or item.is_of_meter or item.form not in (None, form):
            continue
        at = (
            (pl.col("institution_id") == item.institution)
            & (pl.col("item_code") == item.item)
            & (pl.col("year") == item.year)
            & (pl.col("value_text") == item.expect)
            & _in_period(item, rows.columns)
        )
        applied[item.id] = rows.filter(at).height
        number = "number_text" if item.value is None else pl.lit(plain_number(item.value))
        unit = pl.lit(unit_spelling(item.unit), dtype=pl.String)
        rows = rows.with_columns(
            correction_id=pl.when(at).then(pl.lit(item.id)).otherwise("correction_id"),
            corrected_number_text=pl.when(at).then(number).otherwise("corrected_number_text"),
            corrected_unit_text=pl.when(at)
            .then(pl.coalesce(unit, "corrected_unit_text", "unit_text"))
            .otherwise("corrected_unit_text"),
        )
    return rows, applied


def _in_period(item: Correction, columns: list[str]) -> pl.Expr:
    """Audits have years only; a month and a quarter of one number are two periods."""
    if "period_kind" not in columns:
        return pl.lit(item.month is None and item.quarter is None)
    kind = "month" if item.month else "quarter" if item.quarter else "year"
    return (pl.col("period_kind") == kind) & (pl.col("period_index") == (item.month or item.quarter or 0))


def correct_meters(
    rows: pl.DataFrame, source: str, corrections: list[Correction]
) -> tuple[pl.DataFrame, Counter[str]]:
    """Give readings of a meter the unit that a correction names for their days, while the file has the expected one."""
    applied: Counter[str] = Counter()
    submitted = rows["unit_text"]
    for item in corrections:
        if item.source != source or not item.is_of_meter:
            continue
        at = (
            (submitted == unit_spelling(item.expect))
            & (rows["building_code"] == item.building)
            & (rows["item_code"] == item.item)
            & (rows["starts_at"].dt.date() >= item.starts_on)
        ).fill_null(False)
        if item.meter is not None:
            at &= (rows["meter_id"] == item.meter).fill_null(False)
        if item.ends_on is not None:
            at &= (rows["starts_at"].dt.date() < item.ends_on).fill_null(False)
        applied[item.id] = int(at.sum())
        rows = rows.with_columns(
            unit_text=pl.when(at).then(pl.lit(unit_spelling(item.unit))).otherwise("unit_text")
        )
    return rows, applied
