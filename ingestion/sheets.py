"""A grid of text as a file holds it, by column.

Belongs here: `Sheet`, making one from rows or from lines, and how large one may be. Does not belong here: which
lines are a table (`tables`) or how bytes become lines (readers).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

import polars as pl

from ingestion.contracts.messages import Message, Refusal

MAX_COLUMNS = 16_384
"""As many as a workbook can have; a line with more is no line of a table."""
MAX_CELLS = 100_000_000
"""A cell costs 16 bytes even when it is empty: one long line above many short ones must not fill the memory."""
LIMITS = frozenset({"too_many_columns", "too_many_cells"})

_BLANKS = "".join(mark for mark in map(chr, range(0x3001)) if mark.isspace())


@dataclass
class Sheet:
    """Column `c<j>` of `cells` is column j, its row i line i+1; an empty or blank cell is null, others are stripped.

    `merged` lists merged ranges (first_row, first_column, last_row, last_column), 1-based, inclusive.
    """

    name: str | None
    cells: pl.DataFrame
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    is_hidden: bool = False

    @property
    def height(self) -> int:
        return self.cells.height

    @property
    def width(self) -> int:
        return self.cells.width

    @property
    def n_cells(self) -> int:
        """Cells that are not empty."""
        return self.height * self.width - sum(column.null_count() for column in self.cells)

    def row(self, number: int) -> tuple[str | None, ...]:
        return self.cells.row(number - 1)

    def rows(self) -> Iterator[tuple[str | None, ...]]:
        return self.cells.iter_rows()

    def cell(self, row: int, column: int) -> str | None:
        if row > self.height or column > self.width:
            return None
        text: str | None = self.cells.item(row - 1, column - 1)
        return text


def bounded(width: int, height: int) -> None:
    """Raises Refusal `too_many_columns` and `too_many_cells`, before the memory for them is asked for."""
    if width > MAX_COLUMNS:
        raise Refusal(
            "too_many_columns",
            Message(
                f"有一行多达 {width} 列, 超过 {MAX_COLUMNS} 列",
                f"a line has {width} columns, more than {MAX_COLUMNS}",
            ),
            Message("请核对分隔符与换行后重新导出", "look at separators and line ends and export it again"),
        )
    if width * height > MAX_CELLS:
        raise Refusal(
            "too_many_cells",
            Message(
                f"{height} 行 × {width} 列, 超过 {MAX_CELLS} 个单元格",
                f"{height} lines × {width} columns, more than {MAX_CELLS} cells",
            ),
            Message(
                "请分成几个文件上报; 或有一行的分隔符过多, 请核对",
                "send it in several files; or one line has far too many separators: look for it",
            ),
        )


def of_rows(name: str | None, rows: Sequence[Sequence[str | None]]) -> Sheet:
    """From rows of different lengths."""
    bounded(max(map(len, rows), default=0), len(rows))
    return of_columns(name, [pl.Series(texts, dtype=pl.String) for texts in zip_longest(*rows)])


def of_columns(
    name: str | None, columns: list[pl.Series], merged: list[tuple[int, int, int, int]] | None = None
) -> Sheet:
    """From text columns of one length."""
    cells = pl.DataFrame({f"c{number}": column for number, column in enumerate(columns, 1)})
    return Sheet(name, _stripped(cells), merged or [])


def of_lines(name: str | None, lines: list[str] | pl.Series, separator: str) -> Sheet:
    """From lines of text whose cells a separator alone divides."""
    split = pl.Series("line", lines, dtype=pl.String).str.split(separator)
    longest = split.list.len().max()
    width = longest if isinstance(longest, int) else 0
    bounded(width, len(lines))
    names = [f"c{number}" for number in range(1, width + 1)]
    return Sheet(name, _stripped(split.list.to_struct(fields=names).struct.unnest()))


def _stripped(cells: pl.DataFrame) -> pl.DataFrame:
    if not cells.width:
        return cells
    stripped = cells.with_columns(pl.all().str.strip_chars(_BLANKS))
    return stripped.with_columns(pl.when(pl.all() != "").then(pl.all()).name.keep())
