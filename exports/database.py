"""`inventory.duckdb`: all published tables in one file that any client opens read-only.

Here belongs its schemas (`published`, and `公布` with Chinese views), their order and their comments.
Its content is the candidates', row for row; comparing the two belongs to candidate.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from exports.dictionary import PublishedTable
from exports.parquet import sort_key
from exports.quoting import quoted_name, quoted_names, quoted_text

if TYPE_CHECKING:
    import duckdb

SCHEMA = "published"
SCHEMA_ZH = "公布"
# the default of 2.0 cannot be opened by 1.5, which offices will have for years
STORAGE_VERSION = "v1.5.0"
_TARGET = "release_database"


def write_database(con: duckdb.DuckDBPyConnection, tables: Iterable[PublishedTable], path: Path) -> None:
    """Write the rows through the warehouse's connection, then comments and views on a connection of its
    own.
    """
    tables = tuple(tables)
    con.execute(
        f"attach {quoted_text(str(path))} as {_TARGET} (storage_version {quoted_text(STORAGE_VERSION)})"
    )
    try:
        con.execute(f"create schema {_TARGET}.{quoted_name(SCHEMA)}")
        for table in tables:
            con.execute(
                f"create table {_TARGET}.{quoted_name(SCHEMA)}.{quoted_name(table.name)} as "
                f"select {quoted_names(table.column_names)} from {table.candidate} order by {sort_key(table)}"
            ).fetchall()
    finally:
        con.execute(f"detach {_TARGET}")
    _describe(path, tables)


def _describe(path: Path, tables: tuple[PublishedTable, ...]) -> None:
    """Comments and Chinese views: made in the file itself, so that no view names the warehouse's catalog."""
    import duckdb

    with duckdb.connect(str(path)) as own:
        # one transaction: hundreds of comments, each flushed to disk by itself, would take a second
        own.execute("begin")
        own.execute(f"create schema {quoted_name(SCHEMA_ZH)}")
        for table in tables:
            relation = f"{quoted_name(SCHEMA)}.{quoted_name(table.name)}"
            view = f"{quoted_name(SCHEMA_ZH)}.{quoted_name(table.name_zh)}"
            columns = ", ".join(
                f"{quoted_name(column.name)} as {quoted_name(column.name_zh)}" for column in table.columns
            )
            own.execute(f"create view {view} as select {columns} from {relation}")
            own.execute(f"comment on table {relation} is {quoted_text(table.comment)}")
            own.execute(f"comment on view {view} is {quoted_text(table.comment)}")
            for column in table.columns:
                comment = quoted_text(column.comment)
                own.execute(f"comment on column {relation}.{quoted_name(column.name)} is {comment}")
                own.execute(f"comment on column {view}.{quoted_name(column.name_zh)} is {comment}")
        own.execute("commit")
        # a write-ahead log left beside the file would be a second file that the reader must not lose
        own.execute("checkpoint").fetchall()
