"""Plain lines of a large file as rows: what the general reader says of one line of a kind holds for all of them.

Belongs here: which lines are asked about, what follows from the answers, and the rows that come of it. Does not belong
here: which lines are plain (`pieces`), what any text means (`judge`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import polars as pl
import pyarrow as pa

from ingestion import readings
from ingestion.contracts.corrections import Correction
from ingestion.streaming.pieces import MAX_ODD, NotTyped, Numbers, Piece

MAX_KINDS = 60_000
"""Kinds of lines of a piece; more of them say that a column of serial numbers is among them, and asking is slower."""
MAX_RARE = 1_000
"""Lines of the rarest kinds of a piece that are all asked about."""


@dataclass(frozen=True)
class Specimens:
    """Line → row of the first plain line of each kind, and of every line of the rarest kinds.

    What is rare is often refused, and then each of its lines has to be asked about.
    """

    of_kinds: dict[int, int]
    rare: dict[int, int]

    @property
    def all(self) -> dict[int, int]:
        return {**self.of_kinds, **self.rare}


def specimens(piece: Piece) -> Specimens:
    """Raises NotTyped."""
    rows = np.flatnonzero(piece.is_plain)
    kinds = piece.kinds[rows]
    n_lines = np.bincount(kinds)
    if np.count_nonzero(n_lines) > MAX_KINDS:
        raise NotTyped("too many kinds of lines")
    first = np.zeros_like(n_lines)
    first[kinds[::-1]] = rows[::-1]
    found = np.flatnonzero(n_lines)
    found = found[np.lexsort((first[found], n_lines[found]))]
    n_rare = bisect_right(np.cumsum(n_lines[found]), MAX_RARE)
    rare = _rows_of(piece, found[:n_rare].tolist())
    common = first[found[n_rare:]].tolist()
    return Specimens(*({int(piece.lines[row]): row for row in rows} for rows in (common, rare)))


def _rows_of(piece: Piece, kinds: list[int]) -> list[int]:
    """Plain rows of some kinds."""
    if not kinds:
        return []
    rows: list[int] = np.flatnonzero(np.isin(piece.kinds, kinds) & piece.is_plain).tolist()
    return rows


@dataclass
class Kinds:
    """What the general reader made of the specimens: one row of texts per kind.

    `lines`: those that were asked about and are as plain as they were typed. `singular`: the other lines of kinds
    that do not go by their specimen; they are asked about one by one.
    """

    rows: pl.DataFrame
    lines: pl.Series
    singular: list[int]


def learn(piece: Piece, found: Specimens, rows: pl.DataFrame, corrections: list[Correction]) -> Kinds:
    """Hold the answers against what was typed, and take lines of singular kinds out of the plain ones.

    Singular is a kind whose specimen was refused, for each line has its own place in quarantine, and one that a
    correction may touch, for that looks at the day. Raises NotTyped when an answer is not what was typed: then
    the typed columns and the general reader disagree.
    """
    asked = found.all
    told = rows.filter(pl.col("line").is_in(list(asked))).sort("line")
    if told["line"].is_duplicated().any():
        raise NotTyped("a line gave several readings")
    own = [asked[line] for line in told["line"]]
    for name in piece.plan.stamps:
        if told[name].to_physical().to_list() != piece.numbers[name][own].tolist():
            raise NotTyped("stamps differ")
    if [Decimal(text).scaleb(4) for text in told["number_text"]] != piece.numbers["amount"][own].tolist():
        raise NotTyped("amounts differ")
    touched = {(item.building, item.item) for item in corrections if item.is_of_meter}
    is_touched = [pair in touched for pair in told.select("building_code", "item_code").iter_rows()]
    told = told.with_columns(kind=pl.Series(piece.kinds[own], dtype=pl.Int32))
    told = told.filter(~pl.Series(is_touched, dtype=pl.Boolean))
    alone = set(asked) - set(told["line"].to_list())
    common = {row for line, row in found.of_kinds.items() if line in alone}
    out = [asked[line] for line in alone] + _rows_of(piece, piece.kinds[list(common)].tolist())
    if len(out) + len(piece.odd) > MAX_ODD:
        raise NotTyped("too many lines are of singular kinds")
    piece.is_plain[out] = False
    singular = sorted(set(piece.lines[out].tolist()) - alone)
    return Kinds(told.unique("kind", keep="first", maintain_order=True), told["line"], singular)


def rows(piece: Piece, kinds: Kinds, more: pa.Table) -> Iterator[pa.Table]:
    """Plain rows, and the `more` rows the general reader gave for lines that are not, in file order."""
    said = _Said(piece, kinds.rows)
    where = np.flatnonzero(piece.is_plain)
    lines = more["line"].to_numpy()
    n_before = 0
    for start in range(0, where.size, readings.ROW_GROUP):
        some = where[start : start + readings.ROW_GROUP]
        is_last = start + some.size == where.size
        n = lines.size if is_last else int(np.searchsorted(lines, piece.lines[some[-1]]))
        yield _in_file_order(said.rows(some), more.slice(n_before, n - n_before))
        n_before = n
    if not where.size:
        yield more


def _in_file_order(plain: pa.Table, more: pa.Table) -> pa.Table:
    if not more.num_rows:
        return plain
    both = pa.concat_tables([plain, more]).unify_dictionaries().combine_chunks()
    return both.take(pa.array(np.argsort(both["line"].to_numpy(), kind="stable")))


class _Said:
    """Columns of plain rows: what was typed of each line, and what was said of each kind."""

    def __init__(self, piece: Piece, told: pl.DataFrame) -> None:
        self._piece = piece
        self._places = np.zeros(int(piece.kinds.max(initial=-1)) + 1, dtype=np.int32)
        self._places[told["kind"].to_numpy()] = np.arange(told.height, dtype=np.int32)
        self._spans = _spans(piece, told)
        typed = {"line", *piece.numbers, *self._spans}
        self._by_kind = {
            field.name: _said(told[field.name], field.type)
            for field in readings.SCHEMA
            if field.name not in typed
        }
        group = pa.array(np.zeros(readings.ROW_GROUP, dtype=np.int32))
        self._alike = {
            name: column.take(group) for name, column in self._by_kind.items() if told[name].n_unique() == 1
        }

    def rows(self, where: Numbers) -> pa.Table:
        """A row group of rows, or fewer."""
        piece = self._piece
        numbers = {"line": piece.lines[where]} | {name: own[where] for name, own in piece.numbers.items()}
        numbers |= {name: numbers[start] + span for name, (start, span) in self._spans.items()}
        places = pa.array(self._places[piece.kinds[where]])
        columns = {
            name: pa.array(own).view(readings.SCHEMA.field(name).type) for name, own in numbers.items()
        }
        for name, column in self._by_kind.items():
            alike = self._alike.get(name)
            columns[name] = column.take(places) if alike is None else alike.slice(0, where.size)
        return pa.table([columns[name] for name in readings.SCHEMA.names], schema=readings.SCHEMA)


def _said(by_kind: pl.Series, kind: pa.DataType) -> pa.Array:
    """What is said of each kind, in the type of its column."""
    if pa.types.is_dictionary(kind):
        return pa.array(by_kind.to_list(), pa.string()).dictionary_encode()
    if pa.types.is_decimal(kind):
        return pa.array([None if text is None else Decimal(text) for text in by_kind], kind)
    return pa.array(by_kind.to_list(), kind)


def _spans(piece: Piece, told: pl.DataFrame) -> dict[str, tuple[str, int]]:
    """The stamp that was not typed: from which one it is how far, by the length of the readings, if they have one."""
    typed = list(piece.plan.stamps)
    if len(typed) == 2:
        return {}
    other = "ends_at" if typed == ["starts_at"] else "starts_at"
    spans = (told[other] - told[typed[0]]).dt.total_microseconds()
    if spans.n_unique() > 1:
        raise NotTyped("readings of several lengths")
    return {other: (typed[0], spans[0])} if spans.count() else {}
