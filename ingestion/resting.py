"""Rows at rest: one Parquet file per source file and target, in a folder per received day.

Belongs here: how a raw table says that its rows rest, in which columns they do, writing them whole or not at all.
Does not belong here: which files are kept and which forgotten (`partitions`), how a reading is typed (`readings`),
the view over all of them (`raw`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandera.polars as pa
import polars as pl

from ingestion import readings
from ingestion.archive import Receipt
from ingestion.checks import duckdb_columns
from ingestion.contracts.home import Home

_TYPED_AS = "rests"
_ROW_GROUP = 122_880
"""Rows that one thread reads at a time; as many as a row group of DuckDB."""
_LEVEL = 1
"""Of zstd: 2 M values are written in two thirds of the time of the usual level, and are no larger."""


@dataclass(frozen=True)
class AtRest:
    """Rows of one target of one file as a Parquet file."""

    path: Path
    n_rows: int


def rests(typed_as: dict[str, str] | None = None) -> dict[str, dict[str, str]]:
    """What the schema of a raw table says when its rows rest: as they are landed, or typed as these columns."""
    return {_TYPED_AS: typed_as or {}}


def columns(schema: pa.DataFrameSchema) -> dict[str, str] | None:
    """Column → DuckDB type of rows at rest; None for a raw table that stands in the warehouse."""
    said = schema.metadata or {}
    return (said[_TYPED_AS] or duckdb_columns(schema)) if _TYPED_AS in said else None


def path_of(home: Home, receipt: Receipt, target: str) -> Path:
    day = f"received_on={receipt.received_on.isoformat()}"
    return home.at_rest(target) / f"source={receipt.source}" / day / f"{receipt.file_id}.parquet"


def write(con: duckdb.DuckDBPyConnection, schema: pa.DataFrameSchema, rows: pl.DataFrame, path: Path) -> None:
    """Write beside the path and rename: readings typed by DuckDB, rows of text as they are."""
    if (schema.metadata or {})[_TYPED_AS]:
        with readings.resting(path) as rest:
            rest.add(readings.typed_rows(con, rows))
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    _repeated_once(rows.select(list(duckdb_columns(schema)))).write_parquet(
        partial, compression="zstd", compression_level=_LEVEL, statistics=False, row_group_size=_ROW_GROUP
    )
    os.replace(partial, path)


def _repeated_once(rows: pl.DataFrame) -> pl.DataFrame:
    """Columns of one text, or of none, as a dictionary of one: half of what writing costs is to find that out."""
    ends = zip(rows.columns, rows.dtypes, rows.row(0), rows.row(-1), strict=True) if rows.height else ()
    likely = {name: first for name, kind, first, last in ends if kind == pl.String and first == last}
    if not likely:
        return rows
    # asked in the frame: a column that is kept as one text is not written out for it
    n_null = rows.select(pl.col(*likely).null_count()).row(0)
    least, most = rows.select(pl.col(*likely).min()).row(0), rows.select(pl.col(*likely).max()).row(0)
    found = zip(likely.items(), n_null, least, most, strict=True)
    return rows.with_columns(
        pl.lit(text, dtype=pl.Enum([text or ""])).alias(name)
        for (name, text), n, low, high in found
        if low == high == text and n == (rows.height if text is None else 0)
    )
