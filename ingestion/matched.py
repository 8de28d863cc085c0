"""The register of a night as matching asks for it, and its answers as tables of the raw room.

Belongs here: reading entries from the warehouse, the columns of `raw.matches` and `raw.match_decisions`. Does not belong
here: how an entry is found (`matching`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from ingestion.contracts.matches import SAID, MatchDecision
from ingestion.matching.names import Region
from ingestion.matching.settling import COLUMNS, ENTRY_COLUMNS, Matching

if TYPE_CHECKING:
    from ingestion.load import Loaded

_TYPES = {pl.Int32(): "INTEGER", pl.String(): "VARCHAR", pl.Float64(): "DOUBLE"}
DDL = ", ".join(f"{name} {_TYPES[kind]}" for name, kind in COLUMNS.items())


def rows(loaded: Loaded) -> pl.DataFrame:
    """The matches of one file as they stand in `raw.matches`."""
    delivery = loaded.delivery
    return loaded.matches.with_columns(
        source=pl.lit(delivery.source), file_id=pl.lit(delivery.file_id), path=pl.lit(delivery.path)
    )


def matching(
    con: duckdb.DuckDBPyConnection, regions: Iterable[tuple[str, str]], decisions: list[MatchDecision]
) -> Matching:
    """Every name and address that the registers, at any day, give an institution."""
    columns = ", ".join(ENTRY_COLUMNS)
    entries = con.execute(
        f"select distinct {columns} from raw.registers__institutions order by all"
    ).fetchall()
    frame = pl.DataFrame(entries, schema=dict.fromkeys(ENTRY_COLUMNS, pl.String), orient="row")
    return Matching(frame, tuple(Region(code, name) for code, name in regions), decisions)


def write_decisions(con: duckdb.DuckDBPyConnection, decisions: list[MatchDecision]) -> None:
    """The declared decisions with the number of rows each one settled."""
    con.execute("create schema if not exists raw")
    con.execute(
        f"create or replace table raw.match_decisions (source VARCHAR, {', '.join(f'said_{name} VARCHAR' for name in SAID)}, "
        "means VARCHAR, reason VARCHAR, reviewer VARCHAR, since DATE, n_applied BIGINT)"
    )
    same = " and ".join(f"said_{name} is not distinct from ?" for name in SAID)
    for item in decisions:
        counted = con.execute(
            f"select count(*) from raw.matches where match_state in ('declared', 'none') and source = ? and {same}",
            [item.source, *item.said],
        ).fetchall()
        con.execute(
            f"insert into raw.match_decisions values ({', '.join('?' * (len(SAID) + 6))})",
            [item.source, *item.said, item.means, item.reason, item.reviewer, item.since, counted[0][0]],
        )
