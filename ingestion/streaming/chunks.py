"""The general reader over a large file, some records at a time.

Belongs here: records of any length and quoting, in bounded memory. Does not belong here: what a record says
(`judge`).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

import duckdb

from ingestion import readings, sheets
from ingestion.readers.delimited import rows_of
from ingestion.sheets import Sheet
from ingestion.streaming.judge import Judge
from ingestion.streaming.text import Text

T = TypeVar("T")
CHUNK_RECORDS = 100_000
"""Records of an asking: some 0.1 GB in the general reader."""


def read(con: duckdb.DuckDBPyConnection, text: Text, separator: str, judge: Judge, path: Path) -> int:
    """Write the readings of the whole file; returns how many. Raises Refusal for quotes that do not match."""
    n_before = judge.n_head
    with readings.resting(path) as rest:
        for sheet in _sheets(text, separator, judge.n_head):
            n_here = sheet.height - judge.n_head
            rows = judge.read(sheet, range(n_before + 1, n_before + n_here + 1))
            rest.add(readings.typed_rows(con, rows))
            n_before += n_here
    return rest.n_rows


def _sheets(text: Text, separator: str, n_head: int) -> Iterator[Sheet]:
    """The file in parts, each below the header."""
    if text.has_quotes:
        with text.path.open(encoding=text.encoding, newline="") as handle:
            yield from (sheets.of_rows(None, part) for part in _parts(rows_of(handle, separator), n_head))
    else:
        with text.path.open(encoding=text.encoding) as handle:
            lines = (line.removesuffix("\n") for line in handle)
            yield from (sheets.of_lines(None, part, separator) for part in _parts(lines, n_head))


def _parts(records: Iterator[T], n_head: int) -> Iterator[list[T]]:
    head = list(islice(records, n_head))
    while part := list(islice(records, CHUNK_RECORDS)):
        yield head + part
