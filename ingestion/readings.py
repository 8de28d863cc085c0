"""Readings at rest: one Parquet file per source file, in a folder per received day.

Belongs here: the columns of that file, and writing it whole or not at all. Does not belong here: which rows it
holds (`load`, `streaming`), the view over all of them (`raw`).
"""

from __future__ import annotations

import os
from pathlib import Path

import duckdb

COLUMNS = {
    "file_id": "VARCHAR",
    "line": "BIGINT",
    "column_number": "INTEGER",
    "building_code": "VARCHAR",
    "meter_id": "VARCHAR",
    "item_code": "VARCHAR",
    "reading_kind": "VARCHAR",
    "starts_at": "TIMESTAMP",
    "ends_at": "TIMESTAMP",
    "is_second_pass": "BOOLEAN",
    "amount": "DECIMAL(18,4)",
    "multiplier": "DECIMAL(18,6)",
    "unit_text": "VARCHAR",
    "replaced_final": "DECIMAL(18,4)",
    "replaced_start": "DECIMAL(18,4)",
}
_TEXTS = {"amount": "number_text"}
"""Columns of the raw rows, which are text, that go by another name there."""


_FORM = "format parquet, compression zstd, parquet_version v2, dictionary_size_limit 1000"
"""Stamps, lines and amounts are written as differences, which costs less than to look for repeated ones."""


def typed(rows: str) -> str:
    """The query that types raw rows of the table or view of this name."""
    columns = (f"cast({_TEXTS.get(name, name)} as {kind}) as {name}" for name, kind in COLUMNS.items())
    return f"select {', '.join(columns)} from {rows}"


def empty() -> str:
    return "select " + ", ".join(f"cast(null as {kind}) as {name}" for name, kind in COLUMNS.items())


def write(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    """Copy the rows of a query, in its order, beside the path and rename. Returns how many they were."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    written = con.execute(f"copy ({query}) to ? ({_FORM})", [str(partial)]).fetchall()
    os.replace(partial, path)
    return int(written[0][0])
