"""One large file of delimited readings: loaded without ever being in memory.

Belongs here: the choice between the typed and the general road, and the account of the whole file.
Does not belong here: either road (`typed`, `chunks`).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from ingestion import counting, readings, sheets
from ingestion.account import Delivery
from ingestion.checks import held_columns
from ingestion.contracts.messages import Refusal
from ingestion.layouts.model import Layout, TableSpec
from ingestion.load import Loaded, Rules, refuse_nothing, unforeseen
from ingestion.readers import delimited
from ingestion.recognition import recognise
from ingestion.resting import AtRest
from ingestion.streaming import chunks, typed, wrapping
from ingestion.streaming.judge import Judge
from ingestion.streaming.pieces import NotTyped, Piece, pieces
from ingestion.streaming.plan import Plan, plan_of, reads_by_line
from ingestion.streaming.text import Text, look, refuse_changed
from ingestion.tables import Table, placed

FROM_BYTES = 8 << 20
"""Smaller files are read whole: the general reader takes a few seconds and some 0.3 GB for this size."""
_HEAD_BYTES = 1 << 16
"""Enough for a header and its first records; a layout that finds its header later has the file read whole."""


@dataclass(frozen=True)
class _Head:
    layout: Layout
    spec: TableSpec
    table: Table
    lines: list[str]
    n_columns: int
    separator: str


def load_large(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, path: Path, sha256: str, rules: Rules, target: Path
) -> Loaded | None:
    """Load one sealed file; its readings go to the Parquet file `target`. None: the file must be read whole.

    Never raises for what the file says. Raises ValueError when it is not what was sealed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if not wrapping.is_wrapped(path):
        return _load_text(con, delivery, path, look(path, sha256), rules, target)
    scratch = target.with_name(f".{target.stem}.unwrapped")
    shutil.rmtree(scratch, ignore_errors=True)  # what a killed night left
    scratch.mkdir()
    try:
        refuse_changed(path, sha256)
        inside = wrapping.unwrapped(path, scratch)
        return _load_text(con, delivery, path, look(inside, None), rules, target)
    except (Refusal, UnicodeDecodeError):
        return None  # the general reader says what is wrong
    finally:
        shutil.rmtree(scratch)


def _load_text(
    con: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    sealed: Path,
    text: Text | None,
    rules: Rules,
    target: Path,
) -> Loaded | None:
    head = _head(text, delivery, rules) if text is not None else None
    if text is None or head is None:
        return None
    try:
        return _load(con, delivery, sealed, text, head, rules, target)
    except Refusal as refusal:
        return Loaded(delivery, refusal=refusal)
    except Exception as error:  # as for small files: what no reader foresaw is a refusal too
        return Loaded(delivery, refusal=unforeseen(error))


def _head(text: Text, delivery: Delivery, rules: Rules) -> _Head | None:
    """Layout, header and separator, told by the start of the file; None when that does not tell them."""
    with text.path.open("rb") as handle:
        start = handle.read(_HEAD_BYTES)
    begin = start[: start.rfind(b"\n") + 1].decode(text.encoding)
    try:
        reading = recognise(begin.encode(), delivery.path, delivery.source, rules.layouts)
    except Refusal:
        return None
    layout = reading.layout
    if not reads_by_line(layout):
        return None
    there = placed(reading.sheets[0], layout.tables[0])
    if there is None:
        return None
    spec, table = there[1], reading.tables[0][1]
    n_head = max([0, *spec.header_rows, spec.unit_row or 0])
    lines = begin.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) <= n_head:
        return None
    separator = delimited.separator_of(begin, layout.separator)
    return _Head(layout, spec, table, lines[:n_head], lines[n_head].count(separator) + 1, separator)


def _load(
    con: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    sealed: Path,
    text: Text,
    head: _Head,
    rules: Rules,
    target: Path,
) -> Loaded:
    plan = plan_of(head.layout, head.spec, head.table, head.n_columns, head.separator)
    judge = Judge(delivery, rules, head.layout, head.spec, len(head.lines))
    n_rows = _typed(con, head, text, plan, judge, target) if plan and not text.has_quotes else None
    if n_rows is None:
        judge = Judge(delivery, rules, head.layout, head.spec, len(head.lines))
        n_rows = chunks.read(con, text, head.separator, judge, target)
    refuse_nothing(head.layout, judge.counts["record_loaded"] + judge.counts["record_quarantined"])
    n_read = counting.count_records(sealed, head.layout.separator)
    counts = {
        "n_read": n_read,
        **{f"n_{end}": judge.counts[f"record_{end}"] for end in ("loaded", "quarantined", "ignored")},
    }
    schema = rules.schema(delivery.source, "readings")
    return Loaded(
        delivery,
        head.layout,
        tables={"readings": pl.DataFrame(schema=held_columns(schema))},
        quarantine=pl.concat(judge.quarantine, how="vertical"),
        notes=judge.all_notes(),
        counts={"record": counts},
        applied=judge.applied,
        settled=judge.settled,
        at_rest={"readings": AtRest(target, n_rows)},
    )


def _typed(
    con: duckdb.DuckDBPyConnection, head: _Head, text: Text, plan: Plan, judge: Judge, target: Path
) -> int | None:
    """The typed road, piece by piece; None where the file turns out to need the other one."""
    try:
        with readings.resting(target) as rest:
            for piece in pieces(text, plan):
                for rows in _rows(con, piece, head, judge):
                    rest.add(rows)
    except NotTyped:
        return None
    return rest.n_rows


def _rows(con: duckdb.DuckDBPyConnection, piece: Piece, head: _Head, judge: Judge) -> Iterator[pa.Table]:
    """Ask about one line of each kind and about every line that is not plain: the answers and the rest."""
    asked = typed.specimens(piece)
    told = _ask(piece, sorted([*asked.all, *piece.odd]), head, judge)
    if judge.settled:
        raise NotTyped("a code mapping counts the rows it is applied to")
    kinds = typed.learn(piece, asked, told, judge.rules.corrections)
    answers = [told.filter(~pl.col("line").is_in(kinds.lines.implode()))]
    if kinds.singular:
        answers.append(_ask(piece, kinds.singular, head, judge))
    more = pl.concat(answers, how="vertical")
    judge.counts["record_loaded"] += int(np.count_nonzero(piece.is_plain)) - kinds.lines.len()
    return typed.rows(piece, kinds, readings.typed_rows(con, more))


def _ask(piece: Piece, numbers: list[int], head: _Head, judge: Judge) -> pl.DataFrame:
    """Rows of some lines, asked about as many at a time as of any file."""
    told = []
    for start in range(0, max(1, len(numbers)), chunks.CHUNK_RECORDS):
        some = numbers[start : start + chunks.CHUNK_RECORDS]
        sheet = sheets.of_lines(None, [*head.lines, *piece.texts(some)], head.separator)
        told.append(judge.read(sheet, some))
    return pl.concat(told, how="vertical")
