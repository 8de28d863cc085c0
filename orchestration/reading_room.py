"""The database in memory in which files are read, for a night's loading and for `tancang check`.

Belongs here: its limits and its spill folder. Does not belong here: the warehouse (defs.resources), or Dagster,
which a check does not wait for.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from orchestration.settings import Settings


@contextmanager
def reading_room(settings: Settings, spill: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """What does not fit into the memory limit goes to `spill`, which is removed at the end."""
    con = duckdb.connect(
        config={
            "threads": settings.threads,
            "memory_limit": settings.memory_limit,
            "temp_directory": str(spill),
        }
    )
    try:
        yield con
    finally:
        con.close()
        shutil.rmtree(spill, ignore_errors=True)
