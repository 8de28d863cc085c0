"""What readers hand over: a table of located text, and the cells that were set aside on the way.

Belongs here: the shapes `Sheet` and `Table`, and cutting a table out of a sheet as a layout says.
Does not belong here: any meaning of a column (mapping) or any byte (readers).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

import polars as pl

from ingestion.contracts.numbers import unit_in_header, unit_spelling
from ingestion.layouts import ShiftedRows, TableSpec


@dataclass
class Sheet:
    """A grid of text as the file holds it. `rows[i][j]` is row i+1, column j+1; empty cells are None.

    `merged` lists merged ranges (first_row, first_column, last_row, last_column), 1-based, inclusive.
    """

    name: str | None
    rows: list[list[str | None]]
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Column:
    number: int
    name: str
    unit: str | None


@dataclass(frozen=True)
class SetAside:
    """Cells outside every record, ignored by a named rule of the layout (header, title, footnote, subtotal)."""

    row_number: int
    n_cells: int
    rule: str
    is_record: bool


@dataclass(frozen=True)
class BrokenRecord:
    """A record with a cell where no column is: one separator too many, so no cell of it can be trusted."""

    row_number: int
    column_number: int
    n_cells: int
    found: str


@dataclass
class Table:
    """Records of one table. `frame`: `row_number` Int32 and one text column `c<number>` per column.

    For JSON and XML `row_number` is the ordinal of the record, and columns are numbered by first appearance.
    `elements` holds texts of the document that fields ask for by path.
    `filled` holds (row, column, text) of cells whose value comes from the merged range they lie in, `rejoined`
    those whose text a stray separator had split. `n_more` says by row how many cells the file holds more than
    the frame (or fewer, if negative).
    """

    sheet: str | None
    columns: list[Column]
    frame: pl.DataFrame
    set_aside: list[SetAside] = field(default_factory=list)
    units_by_item: dict[str, str] = field(default_factory=dict)
    filled: list[tuple[int, int, str]] = field(default_factory=list)
    broken: list[BrokenRecord] = field(default_factory=list)
    rejoined: list[tuple[int, int, str]] = field(default_factory=list)
    elements: dict[str, str] = field(default_factory=dict)
    n_more: Counter[int] = field(default_factory=Counter)

    def column(self, names: list[str]) -> Column | None:
        by_name = {column.name: column for column in self.columns}
        return next((by_name[name] for name in names if name in by_name), None)


def frame_of(numbers: list[int], rows: list[tuple[int, list[str | None]]]) -> pl.DataFrame:
    """Text columns `c<number>` beside `row_number`, from rows of cells aligned with `numbers`."""
    data: dict[str, list[str | None]] = {f"c{number}": [] for number in numbers}
    columns = list(data.values())
    for _, cells in rows:
        for values, cell in zip(columns, cells, strict=True):
            values.append(cell)
    return pl.DataFrame(
        [pl.Series("row_number", [number for number, _ in rows], dtype=pl.Int32)]
        + [pl.Series(name, values, dtype=pl.String) for name, values in data.items()]
    )


def _filled_merges(sheet: Sheet, rows: range) -> dict[tuple[int, int], str]:
    """Texts of merged cells inside the given rows that the file leaves empty, by (row, column)."""
    filled = {}
    for first_row, first_column, last_row, last_column in sheet.merged:
        text = _cell(sheet, first_row, first_column)
        if text is None:
            continue
        for row in range(max(first_row, rows.start), min(last_row, rows.stop - 1) + 1):
            for column in range(first_column, last_column + 1):
                if (row, column) != (first_row, first_column) and _cell(sheet, row, column) is None:
                    filled[(row, column)] = text
    return filled


def _cell(sheet: Sheet, row: int, column: int) -> str | None:
    if row > len(sheet.rows) or column > len(sheet.rows[row - 1]):
        return None
    return sheet.rows[row - 1][column - 1]


def placed(sheet: Sheet, spec: TableSpec) -> tuple[int, TableSpec] | None:
    """First line of the table, and its header at line numbers of this sheet; None when `header_at` finds no line."""
    if spec.header_at is None:
        return 1, spec
    for number, cells in enumerate(sheet.rows):
        if any(cell is not None and re.search(spec.header_at, cell) for cell in cells):
            there = spec.model_copy(
                update={
                    "header_rows": [row + number for row in spec.header_rows],
                    "unit_row": spec.unit_row + number if spec.unit_row else None,
                }
            )
            return number + 1, there
    return None


def header_of(sheet: Sheet, spec: TableSpec) -> list[Column]:
    """The columns of a table: header lines joined, merged headers spread, the unit from its place."""
    if not spec.header_rows:
        width = max((len(row) for row in sheet.rows), default=0)
        return [Column(number, str(number), None) for number in range(1, width + 1)]
    last = max(spec.header_rows)
    if len(sheet.rows) < last:
        return []
    spread = _filled_merges(sheet, range(min(spec.header_rows), last + 1))
    width = max(len(sheet.rows[row - 1]) for row in spec.header_rows)
    meant = spec.column_of_word
    columns = []
    for number in range(1, width + 1):
        parts = [_cell(sheet, row, number) or spread.get((row, number)) for row in spec.header_rows]
        texts = list(dict.fromkeys(part.strip() for part in parts if part and part.strip()))
        if not texts:
            continue
        unit_row = _cell(sheet, spec.unit_row, number) if spec.unit_row else None
        name = spec.header_separator.join(texts)
        name = meant.get(name, name)
        columns.append(
            Column(number, name, unit_spelling(unit_row) if spec.unit_row else unit_in_header(name))
        )
    return columns


def table_of(sheet: Sheet, spec: TableSpec, lines: range | None = None) -> Table:
    """Cut the records of one table out of a sheet, or out of the `lines` that are its own.

    Every non-empty cell of them lands either in `frame` or in `set_aside`: header and unit lines,
    lines before them, subtotal and footnote lines named by the layout. A record with a non-empty cell in
    a column without a header goes to `broken`, because nobody could say what its cells are.
    """
    lines = lines or range(1, len(sheet.rows) + 1)
    columns = header_of(sheet, spec)
    if spec.unnamed_columns is not None:
        headed = {column.number for column in columns}
        width = max((len(sheet.rows[row - 1]) for row in lines), default=0)
        columns += [Column(number, "", None) for number in range(1, width + 1) if number not in headed]
    numbers = [column.number for column in columns]
    first = max([lines.start - 1, *spec.header_rows, spec.unit_row or 0]) + 1
    set_aside = [
        SetAside(row, sum(cell is not None for cell in sheet.rows[row - 1]), "header", True)
        for row in range(lines.start, min(first, lines.stop))
    ]
    fill_columns = {
        column.number
        for column in columns
        if any(field.fill_down and column.name in field.column_names for field in spec.fields.values())
    }
    spread = _filled_merges(sheet, range(first, lines.stop))
    rows: list[tuple[int, list[str | None]]] = []
    filled: list[tuple[int, int, str]] = []
    broken: list[BrokenRecord] = []
    rejoined: list[tuple[int, int, str]] = []
    n_more: Counter[int] = Counter()
    stopped: tuple[str, bool] | None = None
    by_name = {column.name: column.number for column in columns if column.name}
    named = {column.number for column in columns if column.name}
    nothing = set(spec.nothing)
    for row in range(first, lines.stop):
        cells = sheet.rows[row - 1]
        n_cells = sum(cell is not None for cell in cells)
        if n_cells == 0:
            continue
        rule = stopped or _row_rule(spec, cells, by_name)
        if rule is not None:
            set_aside.append(SetAside(row, n_cells, rule[0], True))
            stopped = rule if rule[1] else None
            continue
        for shift in spec.shifted_rows:
            moved = _moved_back(cells, shift, by_name)
            if moved is not None:
                cells = moved
                rejoined.append((row, by_name[shift.column], cells[by_name[shift.column] - 1] or ""))
                n_more[row] += 1
        beyond = next((n for n in _unnamed(cells, named) if not _is_ignored(spec, cells[n - 1])), None)
        if beyond is not None:
            broken.append(BrokenRecord(row, beyond, n_cells, cells[beyond - 1] or ""))
            continue
        picked: list[str | None] = []
        for number in numbers:
            text = cells[number - 1] if number <= len(cells) else None
            if text is None and number in fill_columns and (row, number) in spread:
                text = spread[(row, number)]
                filled.append((row, number, text))
                n_more[row] -= 1
            if text in nothing:
                text = None
                n_more[row] += 1
            picked.append(text)
        rows.append((row, picked))
    return Table(
        sheet.name,
        columns,
        frame_of(numbers, rows),
        set_aside,
        filled=filled,
        broken=broken,
        rejoined=rejoined,
        n_more=n_more,
    )


def _unnamed(cells: list[str | None], named: set[int]) -> list[int]:
    return [number for number, cell in enumerate(cells, 1) if cell is not None and number not in named]


def _is_ignored(spec: TableSpec, cell: str | None) -> bool:
    rule = spec.unnamed_columns
    return rule is not None and re.fullmatch(rule.matches, cell or "") is not None


def _moved_back(
    cells: list[str | None], shift: ShiftedRows, by_name: dict[str, int]
) -> list[str | None] | None:
    """The row as it was before a separator inside a text moved it right; None when it is not shifted."""
    if not {shift.where, shift.column, shift.until or shift.where} <= set(by_name):
        return None
    where, column = by_name[shift.where], by_name[shift.column]
    until = by_name[shift.until] if shift.until else len(cells)
    cells = cells + [None] * (max(where + 1, until) - len(cells))
    if re.fullmatch(shift.expected, cells[where - 1] or "") or not re.fullmatch(
        shift.expected, cells[where] or ""
    ):
        return None
    joined = f"{cells[column - 1] or ''}{shift.joined_by}{cells[column] or ''}"
    return [*cells[: column - 1], joined, *cells[column + 1 : until], None, *cells[until:]]


def _row_rule(spec: TableSpec, cells: list[str | None], by_name: dict[str, int]) -> tuple[str, bool] | None:
    for rule in spec.ignore_rows:
        if rule.column is None:
            candidate = next((cell for cell in cells if cell is not None), None)
        else:
            number = by_name.get(rule.column)
            candidate = cells[number - 1] if number is not None and number <= len(cells) else None
        if candidate is not None and re.search(rule.matches, candidate):
            return rule.why.en, rule.stop
    return None
