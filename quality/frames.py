"""The rows of a table that Great Expectations sees: all of them, or those that decide.

Belongs here: which rows of a large table can break an expectation when any row can. Does not belong here: which
expectations a table has (expectations.py), running them (checkpoint.py). A province has tens of millions of source
cells, and no frame holds them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from quality.candidate import CANDIDATE_SCHEMA
from quality.expectations import CandidateTable, Expectation

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

MAX_ROWS = 500_000
"""A table of more rows is shown by those that decide."""
MAX_DOUBLED = 1_000
"""Rows that are shown of those whose key stands more than once."""


def read_frame(con: duckdb.DuckDBPyConnection, table: CandidateTable) -> pd.DataFrame:
    """Rows in their own order. An expectation fails on the rows shown exactly if it fails on the whole table."""
    name = f'{CANDIDATE_SCHEMA}."{table.name}"'
    counted = con.execute(f"select count(*) from {name}").fetchall()
    if counted[0][0] <= MAX_ROWS:
        return con.execute(f"select * from {name} order by all").df()
    shown = {
        row
        for sql in _deciding(table, name, _columns(con, name))
        for rows in con.execute(sql).fetchall()
        for row in rows
        if row is not None
    }
    return con.execute(
        f"select * from {name} where rowid in (select unnest($1)) order by all", [sorted(shown)]
    ).df()


def _columns(con: duckdb.DuckDBPyConnection, name: str) -> set[str]:
    return {str(column) for column, *_ in con.execute(f"describe {name}").fetchall()}


def _deciding(table: CandidateTable, name: str, there: set[str]) -> Iterator[str]:
    """Queries for the rows that decide; a column that is not there is missed by the expectations themselves."""
    possible = [one for one in table.expectations if set(one.columns) <= there]
    yield f"select {', '.join(['min(rowid)', *_extremes(possible)])} from {name}"
    for column in dict.fromkeys(one.columns[0] for one in possible if one.kind in ("in_set", "regex")):
        yield f'select min(rowid) from {name} group by "{column}"'
    for key in (one.columns for one in possible if one.kind == "unique"):
        quoted = ", ".join(f'"{column}"' for column in key)
        doubled = f"select hash({quoted}) as key_hash from {name} group by all having count(*) > 1"
        yield f"select rowid from {name} where hash({quoted}) in ({doubled}) order by {quoted} limit {MAX_DOUBLED}"


def _extremes(expectations: list[Expectation]) -> Iterator[str]:
    for one in expectations:
        match one.kind:
            case "between":
                yield f'arg_min(rowid, "{one.columns[0]}"), arg_max(rowid, "{one.columns[0]}")'
            case "not_null":
                yield f'min(rowid) filter (where "{one.columns[0]}" is null)'
