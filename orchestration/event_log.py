"""Where a night's events go: Dagster's own SQLite files, through connections that stay open for the night.

Belongs here: how a run in this process stores its events. Does not belong here: the instance's settings
(defs.resources). Dagster opens, compiles for and closes a connection for each of some five hundred events, and
SQLite folds its log back into the file at each of those ends. The files are the same, so the web UI and the daemon
read them with Dagster's own class.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS


class KeptEventLog(SqliteEventLogStorage):
    """One pooled connection for each file; `dispose` closes them."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        self._engines: dict[str, sqlalchemy.Engine] = {}
        self._known_tables: set[str] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> KeptEventLog:
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sqlalchemy.Connection]:
        with self._db_lock:
            engine = self._engines.get(shard)
            if engine is None:
                engine = self._engines[shard] = sqlalchemy.create_engine(
                    self.conn_string_for_shard(shard),
                    poolclass=sqlalchemy.pool.StaticPool,
                    connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
                )
                sqlalchemy.event.listen(engine, "connect", _flush_at_checkpoints)
                if shard not in self._initialized_dbs:
                    self._initdb(engine)
                    self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def has_table(self, table_name: str) -> bool:
        # a table that is there stays there; one that is not may come with a migration
        if table_name not in self._known_tables and super().has_table(table_name):
            self._known_tables.add(table_name)
        return table_name in self._known_tables

    def dispose(self) -> None:
        super().dispose()
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()


def instance_of_a_night(folder: Path) -> InstanceRef:
    """The home's instance as its dagster.yaml says, with events stored as above."""
    storage: Mapping[str, Any] = {
        "module": KeptEventLog.__module__,
        "class": KeptEventLog.__qualname__,
        "config": {"base_dir": str(folder / "history" / "runs")},
    }
    return InstanceRef.from_dir(str(folder), overrides={"event_log_storage": storage})


def _flush_at_checkpoints(connection: Any, _: Any) -> None:
    """A log of five hundred commits waits for the disk a few times: what a power cut takes are lines of history, no data."""
    connection.execute("pragma synchronous = normal")
