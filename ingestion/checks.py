"""Column checks that the raw schemas share, each named by the reason code it gives.

Belongs here: building blocks for `sources/*/schema.py`. Reason texts stand in `quarantine`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData

from ingestion.reference import Reference

# before any check is made: one that is made earlier knows no polars frame until pandera itself has met one
pa.DataFrameSchema.register_default_backends(pl.DataFrame)

ITEM_KEY = "item_key"
UNIT_KEY = "unit_key"
NOT_IN_EDITION = "|-"
"""Stands behind the key of an item that its form has, but not in this edition."""
HELPERS = (ITEM_KEY, UNIT_KEY)
"""Columns `family|item_code` and `family|item_code|unit_text`: what an item and its unit are judged by."""
_KEYED = ("item_code", "unit_text", "corrected_unit_text")
"""The columns of values that the keys are made of."""
_SOUND = "sound"
"""Metadata of a column: a pattern of texts that pass all its checks, so that most frames are matched once."""


def text(*, optional: bool = True) -> pa.Column:
    return pa.Column(pl.String, nullable=optional)


def integer(*, optional: bool = True) -> pa.Column:
    return pa.Column(pl.Int32, nullable=optional)


def one_of(allowed: Iterable[object], reason: str) -> pa.Check:
    """The value is one of these. Pandera's own `isin` is copied, with all its values, whenever a frame is judged."""
    values = sorted(set(allowed))  # type: ignore[type-var]
    return pa.Check(lambda column: column.lazyframe.select(pl.col(column.key).is_in(values)), error=reason)


def flag() -> pa.Column:
    return pa.Column(pl.String, one_of(["true", "false"], "bad_flag"), nullable=True)


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
                one_of(items, "unknown_item_code"),
            ],
            nullable=False,
        ),
        UNIT_KEY: pa.Column(pl.String, one_of(units, "unknown_unit"), nullable=True),
    }


def amount(*, may_be_negative: bool = False) -> pa.Column:
    """Plain decimal text of at most twelve whole digits, so that DECIMAL(18,4) holds it in any unit we know."""
    checks = [
        pa.Check.str_matches(r"^-?[0-9]+(\.[0-9]+)?$", error="not_a_number"),
        pa.Check.str_matches(r"^-?0*[0-9]{0,12}(\.[0-9]+)?$|[^0-9.-]", error="number_too_large"),
    ]
    if not may_be_negative:
        checks.append(pa.Check.str_matches(r"^[^-]|^-0+(\.0+)?$", error="negative_amount"))
    return pa.Column(pl.String, checks, nullable=True, metadata={_SOUND: r"^[0-9]{1,12}(\.[0-9]+)?$"})


def measured(name: str, canonical_unit: str, reference: Reference) -> dict[str, pa.Column]:
    """A measured column of a record table: its number as text and its unit, in any spelling that converts."""
    units = reference.spellings[canonical_unit]
    return {
        f"{name}_text": amount(),
        f"{name}_unit": pa.Column(pl.String, one_of(units, "unknown_unit"), nullable=True),
    }


def with_keys(rows: pl.DataFrame, family: str, edition: str, reference: Reference) -> pl.DataFrame:
    """Values with the helper columns beside them."""
    unit = pl.coalesce([name for name in ("corrected_unit_text", "unit_text") if name in rows.columns])
    item_key = pl.concat_str([pl.lit(family), pl.col("item_code")], separator="|")
    measured = pl.col("item_code").is_in(reference.measured_codes(family))
    gone = pl.col("item_code").is_in(reference.not_in_edition(family, edition))
    return rows.with_columns(
        pl.when(gone).then(item_key + pl.lit(NOT_IN_EDITION)).otherwise(item_key).alias(ITEM_KEY),
        pl.when(measured).then(pl.concat_str([item_key, unit.fill_null("")], separator="|")).alias(UNIT_KEY),
    )


def failures(
    schema: pa.DataFrameSchema,
    frame: pl.DataFrame,
    keys: Callable[[pl.DataFrame], pl.DataFrame] | None = None,
) -> pl.DataFrame:
    """Rows that break a check: `index` (position in the frame), `check` (reason code), `column`.

    `keys` adds the helper columns to a frame that comes without them: to its different items and units first.
    The frame must be eager: on a lazy one pandera looks at names and types only and passes bad rows.
    Raises TypeError for a lazy frame, so that this cannot happen by accident, and for a column of another type.
    Pandera spends milliseconds on every column of every file, so it is handed the frames in which its checks find
    anything, and of those the columns that can fail.
    """
    if not isinstance(frame, pl.DataFrame):
        raise TypeError("validate eager frames only: pandera checks no data on a lazy frame")
    later = HELPERS if keys is not None and ITEM_KEY in schema.columns else ()
    found = dict(frame.schema)
    strange = [
        name
        for name, column in schema.columns.items()
        if name not in later and found.get(name) != column.dtype.type
    ]
    if strange:
        raise TypeError(f"columns of another type than the raw table: {strange}")
    broken = _unsound(schema, frame, [name for name in schema.columns if name not in later])
    if keys is not None and later:
        said = [name for name in _KEYED if name in found]
        n_said = dict(zip(said, frame.select(pl.col(said).count()).row(0), strict=True))
        different = frame.select(
            [name for name in said if n_said[name] or name != "corrected_unit_text"]
        ).unique()
        broken |= _unsound(schema, keys(different), later)
        frame = keys(frame) if broken & set(later) else frame
    if not broken:
        return pl.DataFrame(schema={"index": pl.Int32, "check": pl.String, "column": pl.String})
    judged = [name for name in schema.columns if name in broken]
    try:
        schema.select_columns(judged).validate(frame.select(judged), lazy=True)
    except pa.errors.SchemaErrors as error:
        cases: pl.DataFrame = error.failure_cases
        return cases.select("index", "check", "column")
    return pl.DataFrame(schema={"index": pl.Int32, "check": pl.String, "column": pl.String})


def _unsound(schema: pa.DataFrameSchema, frame: pl.DataFrame, names: Iterable[str]) -> set[str]:
    """Which of some columns the schema's own checks find something in, asked in one pass; all columns that can fail
    where one pass cannot say."""
    lazy = frame.lazy()
    asked, answers = [], []
    for name in names:
        column = schema.columns[name]
        if not column.nullable:
            asked.append(name)
            answers.append(lazy.select(pl.col(name).is_not_null().all()))
        pattern = (column.metadata or {}).get(_SOUND)
        if pattern is not None and not schema.checks and frame[name].str.contains(pattern).all():
            continue
        for check in column.checks:
            if check.element_wise or not check.ignore_na or schema.checks or column.unique:
                return {name for name, item in schema.columns.items() if item.checks or not item.nullable}
            judged = check.get_backend(lazy)(check).apply(PolarsData(lazy, name))
            asked.append(name)
            answers.append(judged.select(pl.first().all(ignore_nulls=True)))
    found = zip(asked, pl.collect_all(answers), strict=True)
    return {name for name, answer in found if not answer.item()}


_DUCKDB_TYPES: dict[str, str] = {
    "String": "VARCHAR",
    "Int32": "INTEGER",
    "Int64": "BIGINT",
    "Date": "DATE",
    "Datetime": "TIMESTAMP",
    "Boolean": "BOOLEAN",
}


def held_columns(schema: pa.DataFrameSchema) -> dict[str, pl.DataType]:
    """Column → polars type of the rows that are kept, in schema order, without helper columns."""
    return {name: column.dtype.type for name, column in schema.columns.items() if name not in HELPERS}


def duckdb_columns(schema: pa.DataFrameSchema) -> dict[str, str]:
    """Column → DuckDB type of the raw table, in schema order, without helper columns."""
    return {name: _DUCKDB_TYPES[str(kind).split("(")[0]] for name, kind in held_columns(schema).items()}
