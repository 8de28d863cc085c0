"""What readers hand over: a table of located text, and the cells that were set aside on the way.

Belongs here: the shape `Table`, and cutting a table out of a sheet as a layout says, column by column.
Does not belong here: any meaning of a column (mapping) or any byte (readers).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from ingestion.contracts.numbers import unit_in_header, unit_spelling
from ingestion.layouts.model import ShiftedRows, TableSpec
from ingestion.sheets import Sheet


@dataclass(frozen=True)
class Column:
    """A named column. One that is outside holds texts of the document around a record, counted where they stand."""

    number: int
    name: str
    unit: str | None
    is_outside: bool = False


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
        text = sheet.cell(first_row, first_column)
        if text is None:
            continue
        for row in range(max(first_row, rows.start), min(last_row, rows.stop - 1) + 1):
            for column in range(first_column, last_column + 1):
                if (row, column) != (first_row, first_column) and sheet.cell(row, column) is None:
                    filled[(row, column)] = text
    return filled


def placed(sheet: Sheet, spec: TableSpec) -> tuple[int, TableSpec] | None:
    """First line of the table, and its header at line numbers of this sheet; None when `header_at` finds no line."""
    if spec.header_at is None:
        return 1, spec
    for number, cells in enumerate(sheet.rows()):
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
        return [Column(number, str(number), None) for number in range(1, sheet.width + 1)]
    last = max(spec.header_rows)
    if sheet.height < last:
        return []
    spread = _filled_merges(sheet, range(min(spec.header_rows), last + 1))
    lines = [(row, sheet.row(row)) for row in spec.header_rows]
    has_units = spec.unit_row is not None and spec.unit_row <= sheet.height
    units = sheet.row(spec.unit_row) if has_units and spec.unit_row else (None,) * sheet.width
    meant = spec.column_of_word
    columns = []
    for number in range(1, sheet.width + 1):
        parts = [cells[number - 1] or spread.get((row, number)) for row, cells in lines]
        texts = list(dict.fromkeys(part.strip() for part in parts if part and part.strip()))
        if not texts:
            continue
        name = spec.header_separator.join(texts)
        name = meant.get(name, name)
        unit = unit_spelling(units[number - 1]) if spec.unit_row else unit_in_header(name)
        columns.append(Column(number, name, unit))
    return columns


def table_of(sheet: Sheet, spec: TableSpec, lines: range | None = None) -> Table:
    """Cut the records of one table out of a sheet, or out of the `lines` that are its own.

    Every non-empty cell of them lands either in `frame` or in `set_aside`: header and unit lines,
    lines before them, subtotal and footnote lines named by the layout. A record with a non-empty cell in
    a column without a header goes to `broken`, because nobody could say what its cells are.
    """
    lines = lines or range(1, sheet.height + 1)
    columns = header_of(sheet, spec)
    if spec.unnamed_columns is not None:
        headed = {column.number for column in columns}
        columns += [Column(number, "", None) for number in range(1, sheet.width + 1) if number not in headed]
    by_name = {column.name: column.number for column in columns if column.name}
    first = max([lines.start - 1, *spec.header_rows, spec.unit_row or 0]) + 1
    rows = sheet.cells.with_columns(
        row_number=pl.int_range(1, pl.len() + 1, dtype=pl.Int32),
        n_cells=pl.sum_horizontal(pl.all().is_not_null()).cast(pl.Int64) if sheet.width else pl.lit(0),
    )
    head = rows.slice(lines.start - 1, max(min(first, lines.stop) - lines.start, 0))
    set_aside = [
        SetAside(row, n, "header", True) for row, n in head.select("row_number", "n_cells").iter_rows()
    ]
    body = rows.slice(first - 1, max(lines.stop - first, 0)).filter(pl.col("n_cells") > 0)
    body, footnotes = _without_ignored(body, spec, by_name)
    body, rejoined = _moved_back(body, spec, by_name)
    body, broken = _without_broken(body, spec, {column.number for column in columns if column.name})
    table = Table(sheet.name, columns, body, set_aside + footnotes, broken=broken, rejoined=rejoined)
    for row, _, _ in rejoined:
        table.n_more[row] += 1
    _fill_merged(table, sheet, spec, range(first, lines.stop))
    _empty_nothing(table, spec)
    table.frame = table.frame.select("row_number", *(f"c{column.number}" for column in columns))
    return table


_CELL = r"^c\d+$"


def _matching(texts: pl.Series, matches: Callable[[str], object]) -> pl.Series:
    """Which texts match, by Python's own expressions, each different text once; an empty cell does not."""
    distinct = texts.unique().drop_nulls()
    return texts.is_in(
        distinct.filter(pl.Series([bool(matches(text)) for text in distinct], dtype=pl.Boolean))
    )


def _without_ignored(
    body: pl.DataFrame, spec: TableSpec, by_name: dict[str, int]
) -> tuple[pl.DataFrame, list[SetAside]]:
    """The rows that no rule sets aside, and the others. The first rule that fits a row names it."""
    if not spec.ignore_rows or body.height == 0:
        return body, []
    named = pl.Series([None], dtype=pl.Int32).extend_constant(None, body.height - 1)
    for number, rule in enumerate(spec.ignore_rows):
        if rule.column is not None and rule.column not in by_name:
            continue
        chosen = pl.coalesce(pl.col(_CELL)) if rule.column is None else pl.col(f"c{by_name[rule.column]}")
        fits = _matching(body.select(text=chosen)["text"], re.compile(rule.matches).search).fill_null(False)
        named = named.zip_with(
            named.is_not_null() | ~fits, pl.repeat(number, body.height, dtype=pl.Int32, eager=True)
        )
    stops = [number for number, rule in enumerate(spec.ignore_rows) if rule.stop]
    end = named.is_in(stops).fill_null(False).arg_max() if named.is_in(stops).any() else None
    if end is not None:
        named = pl.concat(
            [named.head(end), pl.repeat(named[end], body.height - end, dtype=pl.Int32, eager=True)]
        )
    aside = body.filter(named.is_not_null()).select("row_number", "n_cells")
    rules = [spec.ignore_rows[number].why.en for number in named.drop_nulls()]
    footnotes = [
        SetAside(row, n, rule, True) for (row, n), rule in zip(aside.iter_rows(), rules, strict=True)
    ]
    return body.filter(named.is_null()), footnotes


def _moved_back(
    body: pl.DataFrame, spec: TableSpec, by_name: dict[str, int]
) -> tuple[pl.DataFrame, list[tuple[int, int, str]]]:
    """Rows that a separator inside a text moved right as they were before, and (row, column, text) of each mend."""
    rules = [
        shift
        for shift in spec.shifted_rows
        if {shift.where, shift.column, shift.until or shift.where} <= set(by_name)
    ]
    names = [name for name in body.columns if name not in ("row_number", "n_cells")]
    suspects = pl.repeat(False, body.height, dtype=pl.Boolean, eager=True)
    for shift in rules:
        fits = re.compile(shift.expected).fullmatch
        suspects = suspects | ~_matching(body[f"c{by_name[shift.where]}"], fits).fill_null(False)
    rejoined: list[tuple[int, int, str]] = []
    mended = []
    for row, *found in body.filter(suspects).select("row_number", *names).iter_rows():
        cells = list(found)
        for shift in rules:
            if _shift(cells, shift, by_name):
                column = by_name[shift.column]
                rejoined.append((row, column, cells[column - 1] or ""))
        if cells != list(found):
            mended.append((row, *cells))
    if mended:
        schema = {"row_number": pl.Int32, **dict.fromkeys(names, pl.String)}
        body = body.update(
            pl.DataFrame(mended, schema=schema, orient="row"), on="row_number", include_nulls=True
        )
    return body, rejoined


def _shift(cells: list[str | None], shift: ShiftedRows, by_name: dict[str, int]) -> bool:
    """Move one row back in place; False when it is not shifted."""
    where, column = by_name[shift.where], by_name[shift.column]
    until = by_name[shift.until] if shift.until else len(cells)
    right = cells[where] if where < len(cells) else None
    if re.fullmatch(shift.expected, cells[where - 1] or "") or not re.fullmatch(shift.expected, right or ""):
        return False
    joined = f"{cells[column - 1] or ''}{shift.joined_by}{cells[column] or ''}"
    cells[:] = [*cells[: column - 1], joined, *cells[column + 1 : until], None, *cells[until:]]
    return True


def _without_broken(
    body: pl.DataFrame, spec: TableSpec, named: set[int]
) -> tuple[pl.DataFrame, list[BrokenRecord]]:
    """The rows whose every cell stands under a header or is ignored by name, and the others with their first such cell."""
    stray: list[pl.Expr] = []
    for name in body.columns:
        number = int(name[1:]) if re.match(_CELL, name) else 0
        if number == 0 or number in named or body[name].null_count() == body.height:
            continue
        is_stray = body[name].is_not_null()
        if spec.unnamed_columns is not None:
            known = re.compile(spec.unnamed_columns.matches).fullmatch
            is_stray = is_stray & ~_matching(body[name], known).fill_null(False)
        stray.append(pl.when(pl.lit(is_stray)).then(pl.lit(number, dtype=pl.Int32)))
    if not stray:
        return body, []
    body = body.with_columns(stray=pl.coalesce(stray))
    broken = []
    for record in body.filter(pl.col("stray").is_not_null()).iter_rows(named=True):
        number = record["stray"]
        broken.append(BrokenRecord(record["row_number"], number, record["n_cells"], record[f"c{number}"]))
    return body.filter(pl.col("stray").is_null()).drop("stray"), broken


def _fill_merged(table: Table, sheet: Sheet, spec: TableSpec, rows: range) -> None:
    """Give the cells of `fill_down` columns the value of the merged range they lie in."""
    wanted = {name for item in spec.fields.values() if item.fill_down for name in item.column_names}
    columns = {column.number for column in table.columns if column.name in wanted}
    kept = set(table.frame["row_number"]) if columns else set()
    for (row, number), text in _filled_merges(sheet, rows).items() if columns else ():
        if row in kept and number in columns:
            table.filled.append((row, number, text))
            table.n_more[row] -= 1
    for number in columns:
        texts = {row: text for row, column, text in table.filled if column == number}
        filled = pl.col("row_number").replace_strict(texts, default=None, return_dtype=pl.String)
        if texts:
            table.frame = table.frame.with_columns(pl.coalesce(f"c{number}", filled).alias(f"c{number}"))


def _empty_nothing(table: Table, spec: TableSpec) -> None:
    """Take the texts that stand for an empty cell out of the frame; the file still holds them as cells."""
    if not spec.nothing:
        return
    cells = [f"c{column.number}" for column in table.columns]
    is_nothing = pl.col(cells).is_in(spec.nothing)
    per_row = table.frame.select("row_number", n=pl.sum_horizontal(is_nothing)).filter(pl.col("n") > 0)
    for row, n in per_row.iter_rows():
        table.n_more[row] += n
    table.frame = table.frame.with_columns(pl.when(~is_nothing).then(pl.col(cells)).name.keep())
