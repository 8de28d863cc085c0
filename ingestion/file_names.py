"""What the name of a file says of its readings, held against the readings inside: node, day and hour.

Belongs here: the comparison and its note. Does not belong here: the pattern (a layout's `name_says`), what becomes of
the readings: their own stamps count, a name moves none.
"""

from __future__ import annotations

import re
from datetime import date, datetime

import polars as pl

from ingestion.account import Place, noted
from ingestion.mapping import Mapped
from ingestion.quarantine import NOTE_COLUMNS


def otherwise(rows: pl.DataFrame, mapped: Mapped, place: Place) -> pl.DataFrame:
    """A note for each thing that the name says and the readings do not; how many of them stands in brackets."""
    pattern = place.layout.name_says
    found = re.search(pattern, place.delivery.path) if pattern else None
    if found is None:
        return pl.DataFrame(schema=NOTE_COLUMNS)
    said = {name: text for name, text in found.groupdict().items() if text}
    at = pl.coalesce("starts_at", "ends_at")
    parts = []
    if "day" in said:
        day = _day(said["day"])
        strange = rows.filter(at.dt.date() != day) if day else rows  # no day has that date
        parts.append(_note("day", said["day"], strange, at.dt.strftime("%Y%m%d")))
        if "hour" in said and day:
            hour = int(said["hour"])
            touched = (at.dt.hour() == hour) | (pl.col("ends_at").dt.hour() == hour)
            parts.append(
                _note(
                    "hour", said["hour"], rows.filter((at.dt.date() == day) & ~touched), at.dt.strftime("%H")
                )
            )
    if "node" in said and "node_code" in mapped.records.columns:
        strange = mapped.records.filter(pl.col("node_code") != said["node"]).with_columns(
            line=pl.col("row_number").cast(pl.Int64)
        )
        parts.append(_note("node", said["node"], strange, pl.col("node_code")))
    notes = [part for part in parts if part.height]
    return noted(pl.concat(notes), place) if notes else pl.DataFrame(schema=NOTE_COLUMNS)


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y%m%d").date()
    except ValueError:
        return None


def _note(what: str, said: str, strange: pl.DataFrame, told: pl.Expr) -> pl.DataFrame:
    words = {"day": "日期", "hour": "小时", "node": "节点"}
    return strange.head(1).select(
        row_number=pl.col("line").cast(pl.Int32),
        column_number=pl.lit(None, dtype=pl.Int32),
        found=told + pl.lit(f" (× {strange.height})"),
        note_code=pl.lit("name_says_otherwise"),
        text_zh=pl.lit(f"文件名中的{words[what]}为 {said}, 与其中的读数不符; 以读数为准, 括号内为条数"),
        text_en=pl.lit(
            f"the name of the file says {what} {said}, its readings do not; theirs count. How many stands in brackets"
        ),
    )
