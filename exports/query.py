"""Read-only SQL on a release, in a sandbox: no files, no settings, bounded memory, time and rows.

Here belongs the sandbox and its messages. Which release is meant (current.py) and printing (the command
line) do not.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exports.current import current_release
from exports.messages import ExportError

if TYPE_CHECKING:
    import duckdb


class QueryError(ExportError):
    """A query that could not be answered."""


@dataclass(frozen=True)
class QueryResult:
    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    is_truncated: bool


def sql_on_current(home: Path, sql: str, **limits: Any) -> tuple[QueryResult, str]:
    """Run a query on the release that stands; gives its id beside the result."""
    current = current_release(home)
    if current is None:
        raise QueryError(
            "尚无发布物可查询。请先运行 tancang nightly。",
            "there is no release to query yet. Run tancang nightly first.",
        )
    return run_sql(current.database, sql, **limits), current.release_id


def run_sql(
    database: Path,
    sql: str,
    memory_limit_mb: int = 512,
    timeout_seconds: float = 30.0,
    max_rows: int | None = 10_000,
) -> QueryResult:
    """Run one SELECT (or WITH, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE, PIVOT, EXPLAIN) and fetch at
    most `max_rows`.
    """
    import duckdb

    with open_sandbox(database, memory_limit_mb) as con:
        try:
            _check_statement(con, sql)
            with _deadline(con, timeout_seconds):
                cursor = con.execute(sql)
                description = list(cursor.description or [])
                rows = cursor.fetchall() if max_rows is None else cursor.fetchmany(max_rows + 1)
        except duckdb.Error as error:
            raise _explained(error, memory_limit_mb, timeout_seconds) from error
    is_truncated = max_rows is not None and len(rows) > max_rows
    return QueryResult(
        columns=tuple(str(column[0]) for column in description),
        types=tuple(str(column[1]) for column in description),
        rows=[tuple(row) for row in (rows[:max_rows] if is_truncated else rows)],
        is_truncated=is_truncated,
    )


@contextmanager
def open_sandbox(database: Path, memory_limit_mb: int = 512) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that can read this one file and do nothing else.

    The path is resolved first: a connection through the moving link would, inside one process, be
    answered from the release that the link named when it was first opened.
    """
    import duckdb

    settings: dict[str, Any] = {
        "enable_external_access": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "python_enable_replacements": "false",
        "memory_limit": f"{memory_limit_mb}MB",
        # spilling would write into the sealed folder
        "temp_directory": "",
        "threads": "2",
        "lock_configuration": "true",
    }
    try:
        con = duckdb.connect(str(database.resolve()), read_only=True, config=settings)
    except duckdb.Error as error:
        raise QueryError(
            f"无法打开 {database}：{error}。可用 tancang verify 检查该发布物。",
            f"cannot open {database}: {error}. tancang verify checks this release.",
        ) from error
    try:
        con.execute("set search_path = 'published'")
        yield con
    finally:
        con.close()


def _check_statement(con: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Exactly one statement that reads. The settings hold the sandbox; this only says so before
    anything runs.
    """
    import duckdb

    statements = con.extract_statements(sql)
    if len(statements) != 1:
        raise QueryError(
            f"请每次只写一条查询语句（现有 {len(statements)} 条）。",
            f"write exactly one query at a time (found {len(statements)}).",
        )
    kind = statements[0].type
    # PIVOT is taken apart into several statements, all of them reading
    if kind not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN, duckdb.StatementType.MULTI):
        raise QueryError(
            f"发布物只读，不能执行 {kind.name} 语句；可用 SELECT、DESCRIBE、SHOW、SUMMARIZE。",
            f"a release is read-only, so a {kind.name} statement cannot run; "
            "use SELECT, DESCRIBE, SHOW, SUMMARIZE.",
        )


@contextmanager
def _deadline(con: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    """Interrupt the query after so many seconds."""
    timer = threading.Timer(seconds, con.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        # an interrupt under way must not meet a closed connection
        timer.join()


def _explained(error: duckdb.Error, memory_limit_mb: int, timeout_seconds: float) -> QueryError:
    import duckdb

    if isinstance(error, duckdb.InterruptException):
        return QueryError(
            f"查询超过 {timeout_seconds:g} 秒，已停止。请缩小范围。",
            f"the query ran longer than {timeout_seconds:g} seconds and was stopped. Narrow it down.",
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        return QueryError(
            f"查询需要的内存超过 {memory_limit_mb} MB，已停止。请缩小范围或先汇总。",
            f"the query needs more than {memory_limit_mb} MB of memory and was stopped. "
            "Narrow it down or aggregate.",
        )
    if isinstance(error, duckdb.PermissionException):
        return QueryError(
            f"此处不能读写文件或更改设置：{error}", f"files and settings are out of reach here: {error}"
        )
    return QueryError(f"查询有误：{error}", f"the query cannot be answered: {error}")
