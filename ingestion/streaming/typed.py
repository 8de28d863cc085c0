"""Plain lines of a large file as rows: what the general reader says of one line of a kind holds for all of them.

Belongs here: which lines are asked about, what follows from the answers, and the rows that come of it. Does not belong
here: which lines are plain (`pieces`), what any text means (`judge`).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from ingestion import readings
from ingestion.contracts.corrections import Correction
from ingestion.streaming.pieces import MAX_ODD, NotTyped, Piece

MAX_KINDS = 20_000
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
    plain = pl.DataFrame({"kind": piece.kinds}).with_row_index("row").filter(pl.Series(piece.is_plain))
    found = plain.group_by("kind").agg(pl.col("row").min(), n=pl.len()).sort("n", "row")
    if found.height > MAX_KINDS:
        raise NotTyped("too many kinds of lines")
    n_rare = bisect_right(list(accumulate(found["n"])), MAX_RARE)
    rare = _rows_of(piece, found["kind"].head(n_rare).to_list())
    common = found["row"].slice(n_rare).to_list()
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
    typed = piece.rows[own]
    for name in piece.plan.stamps:
        if not told[name].equals(typed[name]):
            raise NotTyped("stamps differ")
    if list(map(Decimal, told["number_text"])) != typed["amount"].to_list():
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


def rows(piece: Piece, kinds: Kinds, more: pa.Table, file_id: str) -> pa.Table:
    """Plain rows, and the `more` rows the general reader gave for lines that are not, in file order."""
    plain = _plain(piece, kinds.rows, file_id)
    if not more.num_rows:
        return plain
    both = pa.concat_tables([plain, more]).unify_dictionaries().combine_chunks()
    order = np.lexsort((both["column_number"].to_numpy(), both["line"].to_numpy()))
    return both.take(pa.array(order))


def _plain(piece: Piece, told: pl.DataFrame, file_id: str) -> pa.Table:
    where = np.flatnonzero(piece.is_plain)
    places = _places(piece.kinds[where], told["kind"].to_numpy())
    typed = piece.rows if where.size == piece.lines.size else piece.rows[where]
    columns = {name: pa.array(typed[name].to_numpy(), pa.timestamp("us")) for name in piece.plan.stamps} | {
        "file_id": _spread([file_id], readings.SCHEMA.field("file_id").type, places),
        "line": pa.array(piece.lines[where]),
        "column_number": pa.array(np.full(where.size, piece.plan.value_column, dtype=np.int32)),
        "amount": typed["amount"].to_arrow(),
    }
    columns |= _other_end(piece, told, columns)
    for name, kind in zip(readings.SCHEMA.names, readings.SCHEMA.types, strict=True):
        if name not in columns:
            columns[name] = _spread(told[name].to_list(), kind, places)
    return pa.table([columns[name] for name in readings.SCHEMA.names], schema=readings.SCHEMA)


def _places(kinds: npt.NDArray[np.int32], told: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """For each row the place of its kind among those told of."""
    places = np.full(max([-1, *told.tolist()]) + 1, -1, dtype=np.int32)
    places[told] = np.arange(told.size, dtype=np.int32)
    return places[kinds]


def _spread(by_kind: list[str | None], kind: pa.DataType, places: npt.NDArray[np.int32]) -> pa.Array:
    """A column from what it holds for each kind: texts and numbers as text, once per distinct one."""
    texts = list(dict.fromkeys(text for text in by_kind if text is not None))
    if not texts:
        return pa.nulls(places.size, kind)
    if len(texts) == 1 and None not in by_kind:
        indices = pa.repeat(pa.scalar(0, pa.int32()), places.size)
    else:
        index = {text: place for place, text in enumerate(texts)}
        codes = pa.array([None if text is None else index[text] for text in by_kind], pa.int32())
        indices = codes.take(pa.array(places))
    if pa.types.is_dictionary(kind):
        return pa.DictionaryArray.from_arrays(indices, pa.array(texts, pa.string()))
    return pa.array(list(map(Decimal, texts)), kind).take(indices)


def _other_end(piece: Piece, told: pl.DataFrame, columns: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """The end of a reading from its start, or the other way round, by the length its kind has."""
    both = ("starts_at", "ends_at")
    if set(both) <= set(piece.plan.stamps):
        return {}
    known = next(iter(piece.plan.stamps))
    other = both[1 - both.index(known)]
    spans = (told[other] - told[known]).dt.total_microseconds()
    if spans.n_unique() > 1:
        raise NotTyped("readings of several lengths")
    if not spans.len() or spans[0] is None:
        return {other: pa.nulls(len(columns[known]), pa.timestamp("us"))}
    moved = columns[known].view(pa.int64()).to_numpy() + spans[0]
    return {other: pa.array(moved).view(pa.timestamp("us"))}
