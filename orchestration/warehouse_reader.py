"""The writer's warehouse opened for reading between nights, for the commands that look into the last build."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingestion.contracts.messages import Message, Refusal
from orchestration.settings import Settings

if TYPE_CHECKING:
    import duckdb


def open_warehouse(settings: Settings) -> duckdb.DuckDBPyConnection:
    """Raises Refusal when no night has run yet, or one is running."""
    import duckdb

    path = settings.paths.warehouse
    if not path.is_file():
        raise Refusal(
            "no_night",
            Message("还没有运行过", "no night has run yet"),
            Message("运行 tancang nightly", "run tancang nightly"),
        )
    try:
        return duckdb.connect(str(path), read_only=True)
    except duckdb.IOException as error:
        raise Refusal(
            "busy",
            Message("一夜正在运行", "a night is running"),
            Message("请稍后再试", "try again when it is over"),
        ) from error
