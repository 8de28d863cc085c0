"""The general reader asked about some lines of a file: what each of them becomes, and its account.

Belongs here: lines with their numbers → a table as the whole file would have given → rows, quarantine, notes,
summed over several askings. Does not belong here: which lines are asked about (`typed`, `chunks`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

import polars as pl

from ingestion import account, load
from ingestion.account import Delivery
from ingestion.layouts.model import Layout, TableSpec
from ingestion.load import Part, Rules
from ingestion.mending import CodeKey
from ingestion.quarantine import NOTE_COLUMNS
from ingestion.recognition import Reading
from ingestion.sheets import Sheet
from ingestion.tables import BrokenRecord, SetAside, Table, table_of

_ONE_AT_A_TIME = Lock()
"""The validation library keeps settings of its own, which two threads would share."""


@dataclass
class Judge:
    """Holds what the account of one file has come to so far, all but the rows that were loaded."""

    delivery: Delivery
    rules: Rules
    layout: Layout
    spec: TableSpec
    n_head: int
    quarantine: list[pl.DataFrame] = field(default_factory=list)
    notes: list[pl.DataFrame] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    applied: Counter[str] = field(default_factory=Counter)
    settled: Counter[CodeKey] = field(default_factory=Counter)
    n_rounded: int = 0
    _is_first: bool = True
    _rounded: tuple[pl.DataFrame, account.Place] | None = None

    def read(self, sheet: Sheet, numbers: Sequence[int]) -> pl.DataFrame:
        """Raw rows of some records; what was quarantined, noted and counted on the way is kept.

        The sheet begins with the header, which is part of every asking and of the first account only;
        `numbers` are those of the records below it.
        """
        table = self._table(sheet, numbers)
        with _ONE_AT_A_TIME:
            part = load.load_table(self.delivery, Reading(self.layout, [(self.spec, table)]), 0, self.rules)
        self._keep(part, account.Place(self.delivery, self.layout, self.spec, table))
        return part.rows

    def all_notes(self) -> pl.DataFrame:
        """Notes of the file, with the one on rounding said once for all its lines."""
        rounded = (
            [account.rounding_note(self._rounded[0], self.n_rounded, self._rounded[1])]
            if self._rounded
            else []
        )
        return pl.concat([pl.DataFrame(schema=NOTE_COLUMNS), *self.notes, *rounded], how="vertical")

    def _table(self, sheet: Sheet, numbers: Sequence[int]) -> Table:
        table = table_of(sheet, self.spec)
        n_head = self.n_head
        real = {n_head + place: number for place, number in enumerate(numbers, 1)}
        aside = [
            SetAside(real.get(item.row_number, item.row_number), item.n_cells, item.rule, item.is_record)
            for item in table.set_aside
            if self._is_first or item.row_number > n_head
        ]
        return Table(
            table.sheet,
            table.columns,
            table.frame.with_columns(
                pl.col("row_number").replace_strict(real, return_dtype=pl.Int32)
                if table.frame.height
                else pl.col("row_number")
            ),
            aside,
            broken=[
                BrokenRecord(real[b.row_number], b.column_number, b.n_cells, b.found) for b in table.broken
            ],
            rejoined=[(real[row], column, text) for row, column, text in table.rejoined],
            n_more=Counter({real[row]: n for row, n in table.n_more.items()}),
        )

    def _keep(self, part: Part, place: account.Place) -> None:
        first, n = account.long_readings(part.rows)
        if n and self._rounded is None:
            self._rounded = (first, place)
        self.n_rounded += n
        of_lines = pl.col("note_code") != "digits_rounded"
        if not self._is_first:
            of_lines &= pl.col("note_code") != "unknown_column"
        self.notes += [frame.filter(of_lines) for frame in part.notes]
        self.quarantine += part.quarantine
        self.counts += part.counts
        self.applied += part.applied
        self.settled += part.settled
        self._is_first = False
