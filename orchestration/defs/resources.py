"""What steps share: the writer's connection, the pool that keeps writers apart, retries.

Belongs here: handles. Does not belong here: settings (orchestration.settings) or any step.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import duckdb

from orchestration.settings import Settings

POOL = "warehouse"
"""One run at a time may write the warehouse. The limit stands in the instance's dagster.yaml: a pool
without a limit protects nothing."""

RETRIES = dg.RetryPolicy(max_retries=2, delay=2, backoff=dg.Backoff.EXPONENTIAL)
"""For steps that touch disks or shares. The gate is not retried: the same marts give the same verdict."""

FETCHED_TAG = "tancang/fetched"
"""On a run whose feeds the command line asked already, because it had to know whether there is anything to do."""

DAGSTER_YAML = """\
# Written by Tancang. One run at a time may write the warehouse.
telemetry:
  enabled: false
concurrency:
  pools:
    granularity: run
    default_limit: 1
  runs:
    max_concurrent_runs: 4
nux:
  enabled: false
"""


@contextmanager
def writer(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The only way to open the warehouse. It is closed at the end of each step, so that dbt can have it."""
    con = duckdb.connect(
        str(settings.paths.warehouse),
        config={"threads": settings.threads, "memory_limit": settings.memory_limit},
    )
    try:
        yield con
    finally:
        con.close()


def write_instance_config(settings: Settings) -> None:
    folder = settings.paths.dagster
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "dagster.yaml"
    if not path.is_file() or path.read_text(encoding="utf-8") != DAGSTER_YAML:
        path.write_text(DAGSTER_YAML, encoding="utf-8")
