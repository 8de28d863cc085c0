"""Readings at rest: one Parquet file per source file, in a folder per received day.

Belongs here: the columns of that file, typing raw rows as these, and writing it whole or not at all. Does not belong
here: which rows it holds (`load`, `streaming`), the view over all of them (`raw`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

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
_ARROW = {
    "VARCHAR": pa.dictionary(pa.int32(), pa.string()),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "TIMESTAMP": pa.timestamp("us"),
    "BOOLEAN": pa.bool_(),
    "DECIMAL(18,4)": pa.decimal64(18, 4),
    "DECIMAL(18,6)": pa.decimal64(18, 6),
}
_ALWAYS = ("file_id", "line", "column_number", "multiplier")
SCHEMA = pa.schema([pa.field(name, _ARROW[kind], name not in _ALWAYS) for name, kind in COLUMNS.items()])
"""The same columns in memory; a text is written once and then referred to."""

ROW_GROUP = 122_880
"""Rows that one thread reads at a time; as many as a row group of DuckDB."""
_AT_A_TIME = 1 << 14
"""Values that are encoded at a time: a tenth less work than with the usual 1,024."""
_TEXT = [name for name, kind in COLUMNS.items() if kind == "VARCHAR"]
_NUMBERS = [name for name, kind in COLUMNS.items() if kind not in ("VARCHAR", "BOOLEAN")]
"""Written as differences, which costs less than to look for repeated values, and leaves little to compress."""


def typed(rows: str) -> str:
    """The query that types raw rows of the table or view of this name."""
    columns = (f"cast({_TEXTS.get(name, name)} as {kind}) as {name}" for name, kind in COLUMNS.items())
    return f"select {', '.join(columns)} from {rows}"


def typed_rows(con: duckdb.DuckDBPyConnection, rows: pl.DataFrame) -> pa.Table:
    """Raw rows typed, in file order."""
    con.register("incoming", rows.to_arrow())
    try:
        return con.sql(typed("incoming") + " order by line, column_number").to_arrow_table().cast(SCHEMA)
    finally:
        con.unregister("incoming")


@dataclass
class Rest:
    """A partition while it is written."""

    _writer: pq.ParquetWriter
    n_rows: int = 0

    def add(self, rows: pa.Table) -> None:
        self._writer.write_table(rows, row_group_size=ROW_GROUP)
        self.n_rows += rows.num_rows


@contextmanager
def resting(path: Path) -> Iterator[Rest]:
    """Write a partition beside its path; it takes its place when the block ends well, and leaves nothing otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with pq.ParquetWriter(
            partial,
            SCHEMA,
            compression="lz4",
            use_dictionary=_TEXT,
            column_encoding=dict.fromkeys(_NUMBERS, "DELTA_BINARY_PACKED"),
            store_decimal_as_integer=True,
            write_statistics=["starts_at"],
            store_schema=False,
            write_batch_size=_AT_A_TIME,
        ) as writer:
            rest = Rest(writer)
            yield rest
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
