"""Column checks that the raw schemas share, each named by the reason code it gives.

Belongs here: building blocks for `sources/*/schema.py`. Reason texts stand in `quarantine`.
"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from ingestion.reference import Reference

ITEM_KEY = "item_key"
UNIT_KEY = "unit_key"
NOT_IN_EDITION = "|-"
"""Stands behind the key of an item that its form has, but not in this edition."""
HELPERS = (ITEM_KEY, UNIT_KEY)
"""Columns `family|item_code` and `family|item_code|unit_text`, present while a frame is validated, then dropped."""


def text(*, optional: bool = True) -> pa.Column:
    return pa.Column(pl.String, nullable=optional)


def integer(*, optional: bool = True) -> pa.Column:
    return pa.Column(pl.Int32, nullable=optional)


def flag() -> pa.Column:
    return pa.Column(pl.String, pa.Check.isin(["true", "false"], error="bad_flag"), nullable=True)


def year() -> pa.Column:
    return pa.Column(pl.Int32, pa.Check.in_range(1990, 2100, error="bad_year"), nullable=False)


def keys(reference: Reference) -> dict[str, pa.Column]:
    """Helper columns of a table of values: items that their family knows, and the units each can have.

    An item whose meaning is not known has no canonical unit and takes any.
    """
    items = [f"{family}|{code}" for family, code in reference.items]
    units = ["|".join(parts) for parts in reference.allowed_units]
    return {
        ITEM_KEY: pa.Column(
            pl.String,
            [
                pa.Check.str_matches(r"^[^|]*\|[^|]*$", error="item_not_in_edition"),
                pa.Check.isin(sorted(items), error="unknown_item_code"),
            ],
            nullable=False,
        ),
        UNIT_KEY: pa.Column(pl.String, pa.Check.isin(sorted(units), error="unknown_unit"), nullable=True),
    }


def amount(*, may_be_negative: bool = False) -> pa.Column:
    """Plain decimal text of at most twelve whole digits, so that DECIMAL(18,4) holds it in any unit we know."""
    checks = [
        pa.Check.str_matches(r"^-?[0-9]+(\.[0-9]+)?$", error="not_a_number"),
        pa.Check.str_matches(r"^-?0*[0-9]{0,12}(\.[0-9]+)?$|[^0-9.-]", error="number_too_large"),
    ]
    if not may_be_negative:
        checks.append(pa.Check.str_matches(r"^[^-]|^-0+(\.0+)?$", error="negative_amount"))
    return pa.Column(pl.String, checks, nullable=True)


def measured(name: str, canonical_unit: str, reference: Reference) -> dict[str, pa.Column]:
    """A measured column of a record table: its number as text and its unit, in any spelling that converts."""
    units = sorted(reference.spellings[canonical_unit])
    return {
        f"{name}_text": amount(),
        f"{name}_unit": pa.Column(pl.String, pa.Check.isin(units, error="unknown_unit"), nullable=True),
    }


def failures(schema: pa.DataFrameSchema, frame: pl.DataFrame) -> pl.DataFrame:
    """Rows that break a check: `index` (position in the frame), `check` (reason code), `column`.

    The frame must be eager: on a lazy one pandera looks at names and types only and passes bad rows.
    Raises TypeError for a lazy frame, so that this cannot happen by accident.
    """
    if not isinstance(frame, pl.DataFrame):
        raise TypeError("validate eager frames only: pandera checks no data on a lazy frame")
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases: pl.DataFrame = error.failure_cases
        return cases.select("index", "check", "column")
    return pl.DataFrame(schema={"index": pl.Int32, "check": pl.String, "column": pl.String})


_DUCKDB_TYPES: dict[str, str] = {
    "String": "VARCHAR",
    "Int32": "INTEGER",
    "Int64": "BIGINT",
    "Date": "DATE",
    "Datetime": "TIMESTAMP",
}


def duckdb_columns(schema: pa.DataFrameSchema) -> dict[str, str]:
    """Column → DuckDB type of the raw table, in schema order, without helper columns."""
    return {
        name: _DUCKDB_TYPES[str(column.dtype).split("(")[0]]
        for name, column in schema.columns.items()
        if name not in HELPERS
    }
