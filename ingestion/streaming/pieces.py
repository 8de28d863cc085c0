"""A large plain text piece by piece: its stamps and amounts typed, and which lines are not plain.

Belongs here: one pass over the text in columns, and what makes a line plain. Does not belong here: what any text
means (`judge`): a line is plain when its stamps and its amount are written as they are read, so that lines of one
kind, equal in every other column that counts, become rows that differ in nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
from pyarrow import csv

from ingestion.streaming.plan import Plan
from ingestion.streaming.text import Text

PIECE_BYTES = 48 << 20
"""Text of a piece: it and its typed rows then need some 0.2 GB. Each piece is asked about by itself, which has its price."""
BLOCK_BYTES = 4 << 20
"""Text that is cut and typed at a time: what this needs on the way is used again and again and stays near the processor."""
MAX_ODD = 300_000
"""Lines of a piece that are not plain; beyond that the general reader, asked about each, is the shorter way."""
_AMOUNT = r"^(?:0|[1-9][0-9]{0,11})(?:\.[0-9]{0,4})?$"
"""The digits that rest, and no sign, exponent, blank, underscore or fifth decimal."""
_FIRST = pl.datetime(1900, 1, 1)
"""Earlier stamps are the general reader's: some forms read years of two digits as such."""

Numbers = npt.NDArray[np.int64]


class NotTyped(Exception):
    """This text is for the general reader."""


@dataclass
class Piece:
    """Lines of the right number of cells as rows, and `rejected`, the texts of the others by line.

    `lines[row]` is the line of a row, from the start of the file; `numbers` holds its amount in ten-thousandths and its
    stamps in microseconds, which say something where the row `is_plain`, and that falls when a row turns out to be
    singular; `kinds[row]` is the number of the row's kind.
    """

    plan: Plan
    cells: pa.Table
    lines: Numbers
    numbers: dict[str, Numbers]
    kinds: npt.NDArray[np.int32]
    is_plain: npt.NDArray[np.bool_]
    odd: list[int]
    rejected: dict[int, str]

    def texts(self, lines: list[int]) -> list[str]:
        """Whole lines without their ends, for numbers in rising order."""
        rows = np.searchsorted(self.lines, [line for line in lines if line not in self.rejected])
        found = map(self.plan.separator.join, _texts_of(self.cells, rows))
        return [self.rejected[line] if line in self.rejected else next(found) for line in lines]


@dataclass
class _Rejects:
    """Lines without the right number of cells, which the parser tells of before the rows around them."""

    texts: dict[int, str] = field(default_factory=dict)

    def __call__(self, line: Any) -> str:
        self.texts[line.number] = line.text.removesuffix("\r")
        return "error" if len(self.texts) > MAX_ODD else "skip"

    def until(self, last: int | None) -> dict[int, str]:
        """Those up to a line, or all; they are told once."""
        numbers = [number for number in list(self.texts) if last is None or number <= last]
        return {number: self.texts.pop(number) for number in sorted(numbers)}


@dataclass
class _Blocks:
    """Blocks of one piece as they come: their cells, and what was typed of them."""

    cells: list[pa.RecordBatch] = field(default_factory=list)
    typed: list[pl.DataFrame] = field(default_factory=list)

    def add(self, plan: Plan, cells: pa.RecordBatch) -> None:
        self.cells.append(cells)
        self.typed.append(_typed(plan, cells))


def pieces(text: Text, plan: Plan) -> Iterator[Piece]:
    """Raises NotTyped where the parser gives up."""
    rejects = _Rejects()
    n_before = plan.n_head
    try:
        for blocks in _gathered(text, plan, rejects):
            piece = _piece(plan, blocks, n_before, rejects)
            n_before = int(piece.lines[-1]) if piece.lines.size else n_before
            yield piece
    except pa.ArrowException as error:
        raise NotTyped(str(error)) from error
    if rejects.texts:
        yield _piece(plan, _Blocks(), n_before, rejects)


def _gathered(text: Text, plan: Plan, rejects: _Rejects) -> Iterator[_Blocks]:
    blocks, n_bytes = _Blocks(), 0
    for cells in _batches(text, plan, rejects):
        blocks.add(plan, cells)
        n_bytes += cells.nbytes
        if n_bytes >= PIECE_BYTES:
            yield blocks
            blocks, n_bytes = _Blocks(), 0
    if blocks.cells:
        yield blocks


def _batches(text: Text, plan: Plan, rejects: _Rejects) -> Iterator[pa.RecordBatch]:
    with (
        pa.OSFile(str(text.path)) as source,
        csv.open_csv(
            source,
            # in one thread: only so does the parser know the numbers of the lines it rejects
            csv.ReadOptions(
                use_threads=False,
                block_size=min(BLOCK_BYTES, PIECE_BYTES),
                skip_rows=plan.n_head,
                column_names=list(_types(plan)),
                encoding="utf8" if text.encoding.startswith("utf-8") else text.encoding,
            ),
            csv.ParseOptions(
                delimiter=plan.separator,
                quote_char=False,
                escape_char=False,
                ignore_empty_lines=False,
                invalid_row_handler=rejects,
            ),
            csv.ConvertOptions(column_types=_types(plan), strings_can_be_null=False, check_utf8=False),
        ) as reader,
    ):
        yield from reader


def _types(plan: Plan) -> dict[str, pa.DataType]:
    said = pa.dictionary(pa.int32(), pa.string())
    return {
        f"c{number}": said if number in plan.kinds else pa.string() for number in range(1, plan.n_columns + 1)
    }


def _lines(n_rows: int, n_before: int, rejected: list[int]) -> Numbers:
    """The lines of the next rows: those behind line `n_before` that were not rejected."""
    skipped = np.array(rejected, dtype=np.int64) - (n_before + 1)
    n_skipped = int(np.count_nonzero(skipped - np.arange(skipped.size) < n_rows))
    is_row = np.ones(n_rows + n_skipped, dtype=bool)
    is_row[skipped[:n_skipped]] = False
    return np.flatnonzero(is_row) + (n_before + 1)


def _piece(plan: Plan, blocks: _Blocks, n_before: int, rejects: _Rejects) -> Piece:
    cells = pa.Table.from_batches(blocks.cells, pa.schema(list(_types(plan).items()))).unify_dictionaries()
    lines = _lines(cells.num_rows, n_before, sorted(rejects.texts))
    rejected = rejects.until(int(lines[-1]) if lines.size else None)
    typed = pl.concat(blocks.typed) if blocks.typed else _typed(plan, cells)
    numbers = {name: typed[name].to_numpy() for name in (*plan.stamps, "amount")}
    is_plain = typed["is_plain"].to_numpy().copy()
    left = np.flatnonzero(~is_plain)
    if left.size + len(rejected) > MAX_ODD:
        raise NotTyped("too many lines are not plain")
    odd = sorted([*lines[left[_holds_text(cells, left)]].tolist(), *rejected])
    return Piece(plan, cells, lines, numbers, _kinds(plan, cells), is_plain, odd, rejected)


def _typed(plan: Plan, cells: pa.RecordBatch | pa.Table) -> pl.DataFrame:
    """Stamps and amounts as whole numbers, zero where a text says none, and whether the line is plain."""
    texts: pl.DataFrame = pl.from_arrow(cells.select(_typed_columns(plan)))  # type: ignore[assignment]
    rows = texts.select(_stamps(plan), amount=_amount(plan).cast(pl.Decimal(18, 4), strict=False))
    are_plain = [*_are_plain(plan), *(pl.col(name) >= _FIRST for name in plan.stamps)]
    return texts.hstack(rows).select(
        pl.col(rows.columns).to_physical().cast(pl.Int64).fill_null(0),
        is_plain=pl.all_horizontal(are_plain).fill_null(value=False),
    )


def _typed_columns(plan: Plan) -> list[str]:
    numbers = {plan.value_column, *plan.unnamed, *(number for number, _ in plan.stamps.values())}
    return [f"c{number}" for number in sorted(numbers)]


def _stamps(plan: Plan) -> list[pl.Expr]:
    """As the general reader takes them."""
    return [
        pl.coalesce([pl.col(f"c{number}").str.to_datetime(form, strict=False) for form in forms]).alias(name)
        for name, (number, forms) in plan.stamps.items()
    ]


def _amount(plan: Plan) -> pl.Expr:
    return pl.col(f"c{plan.value_column}")


def _are_plain(plan: Plan) -> list[pl.Expr]:
    """What must hold of the texts of a line: the digits of its amount, and nothing in columns without a header."""
    return [_amount(plan).str.contains(_AMOUNT), *(pl.col(f"c{number}") == "" for number in plan.unnamed)]


def _holds_text(cells: pa.Table, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which rows are no blank lines, which the parser gives as rows of empty cells."""
    return np.array([any(texts) for texts in _texts_of(cells, rows)], dtype=bool)


def _texts_of(cells: pa.Table, rows: npt.NDArray[np.int64]) -> Iterator[tuple[str, ...]]:
    """The cells of some rows, named in file order; asked block by block, for a table is first made whole."""
    n_before = 0
    for block in cells.to_batches():
        own = rows[(rows >= n_before) & (rows < n_before + block.num_rows)] - n_before
        yield from zip(*(column.to_pylist() for column in block.take(pa.array(own)).columns), strict=True)
        n_before += block.num_rows


def _kinds(plan: Plan, cells: pa.Table) -> npt.NDArray[np.int32]:
    """The number of each row's kind, equal where the texts of all columns of kinds are."""
    kinds, n_kinds = np.zeros(cells.num_rows, dtype=np.int32), 1
    for number in plan.kinds:
        own, n_own = _codes(cells.column(f"c{number}"))
        if n_kinds == 1:
            kinds, n_kinds = own, n_own
            continue
        both = pa.array(kinds.astype(np.int64) * n_own + own).dictionary_encode()
        kinds, n_kinds = both.indices.to_numpy(), len(both.dictionary)
    return kinds


def _codes(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int32], int]:
    """The numbers of a column's texts, and how many texts it has."""
    if not column.num_chunks:
        return np.zeros(0, dtype=np.int32), 0
    return np.concatenate([chunk.indices.to_numpy() for chunk in column.chunks]), len(
        column.chunk(0).dictionary
    )
