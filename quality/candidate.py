"""The fingerprint of this build's candidates: what exactly was checked.

Here belongs one hash over the content of schema marts, used when the verdict is written and again when a
release is about to be made. It compares inside one warehouse and engine version; release hashes stand in
exports.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

CANDIDATE_SCHEMA = "marts"


def candidate_tables(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Every table and view of schema marts: a list given by hand could leave the changed one out."""
    rows = con.execute(
        "select table_name from information_schema.tables where table_schema = ? "
        "and table_catalog = current_database() order by table_name",
        [CANDIDATE_SCHEMA],
    ).fetchall()
    return [name for (name,) in rows]


def candidate_hash(con: duckdb.DuckDBPyConnection, tables: Sequence[str] | None = None) -> str:
    """sha256 over each table's columns, types and rows; ordered by all of them, so order is no matter.

    They go through uncompressed Parquet: it tells NULL from an empty text and is much faster than fetching.
    """
    names = sorted(tables) if tables is not None else candidate_tables(con)
    total = hashlib.sha256()
    with tempfile.TemporaryDirectory(prefix="tancang-candidate-") as folder:
        for name in names:
            qualified = f'{CANDIDATE_SCHEMA}."{name}"'
            described = con.execute(f"describe {qualified}").fetchall()
            columns = [(column, kind) for column, kind, *_ in described]
            target = Path(folder) / "table.parquet"
            con.execute(
                f"copy (select * from {qualified} order by all) to '{target.as_posix()}' "
                "(format parquet, compression uncompressed)"
            ).fetchall()
            with target.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            total.update(json.dumps([name, columns, content], ensure_ascii=False).encode() + b"\n")
    return total.hexdigest()
