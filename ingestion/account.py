"""The account of one table: what was quarantined, noted, loaded and ignored, to the record and the cell.

Belongs here: frames of quarantine and notes with their places, and the loader's side of the row ledger.
Does not belong here: the second count that the ledger is held against (`counting`).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import polars as pl

from ingestion.contracts.identity import cell_name
from ingestion.layouts.model import Layout, TableSpec
from ingestion.mapping import UNCOMPUTED, Mapped
from ingestion.quarantine import NOTE_COLUMNS, QUARANTINE_COLUMNS, with_texts
from ingestion.readers.documents import WHOLE
from ingestion.sheets import Sheet
from ingestion.tables import Table

_WIDEST = 1 << 32
_NOT_QUARANTINED = pl.DataFrame(schema=QUARANTINE_COLUMNS)
_NO_NOTES = pl.DataFrame(schema=NOTE_COLUMNS)


@dataclass(frozen=True)
class Delivery:
    """What a file is called and where it came from."""

    file_id: str
    source: str
    path: str


_CELL = ["sheet", "row_number", "column_number"]
CELLS = {"values": _CELL, "bills": _CELL, "readings": ["line", "column_number"]}
"""Targets of single values, with the columns that name the cell a value came from; others take whole records."""


def n_value_cells(rows: pl.DataFrame, target: str) -> int:
    """How many cells of the file gave the rows of a target of single values."""
    *sheet, row, column = CELLS[target]
    place = pl.col(row).cast(pl.Int64) * _WIDEST + pl.col(column).fill_null(0)
    if not sheet or rows[sheet[0]].n_unique() < 2:
        return int(rows.select(place.n_unique()).item())
    return int(rows.group_by(sheet).agg(n=place.n_unique())["n"].sum())


@dataclass(frozen=True)
class Place:
    """One table of a file: what every line of its account says of where it stands."""

    delivery: Delivery
    layout: Layout
    spec: TableSpec
    table: Table

    @property
    def target(self) -> str:
        return self.layout.target_of(self.spec)

    def cell(self, row: int | None, column: int | None) -> str | None:
        """A1 form in grids, XPath in XML, JSONPath in JSON; None where only a line can be named."""
        if row is None or (column is None and self.layout.kind in ("delimited", "workbook")):
            return None
        if self.layout.kind in ("delimited", "workbook"):
            return cell_name(row, column or 0)
        name = next((item.name for item in self.table.columns if item.number == column), None)
        if self.layout.kind == "json":
            of = "" if self.spec.records == WHOLE else f".{self.spec.records}"
            return f"${of}[{row - 1}]" + (f".{name}" if name else "")
        inside = f"/{name}" if name and "@" not in name[1:] else ""
        return f"(/{self.spec.records})[{row}]{inside}"

    def _cells(self, frame: pl.DataFrame) -> pl.Series:
        if self.layout.kind not in ("delimited", "workbook"):
            places = frame.select("row_number", "column_number").iter_rows()
            return pl.Series("cell", [self.cell(row, column) for row, column in places], dtype=pl.String)
        numbers = frame["column_number"].unique().drop_nulls()
        letters = {number: cell_name(1, number)[:-1] for number in numbers}
        return frame.select(
            cell=pl.col("column_number").replace_strict(letters, default=None, return_dtype=pl.String)
            + pl.col("row_number").cast(pl.String)
        )["cell"]

    def located(self, frame: pl.DataFrame) -> pl.DataFrame:
        if "column_number" not in frame.columns:
            frame = frame.with_columns(column_number=pl.lit(None, dtype=pl.Int32))
        return frame.with_columns(
            self._cells(frame),
            file_id=pl.lit(self.delivery.file_id),
            layout_id=pl.lit(self.layout.id),
            source=pl.lit(self.delivery.source),
            path=pl.lit(self.delivery.path),
            sheet=pl.lit(self.table.sheet, dtype=pl.String),
        )


def noted(frame: pl.DataFrame, place: Place) -> pl.DataFrame:
    """Notes with their place; `row_number` and `column_number` say where."""
    return _conformed(place.located(frame), NOTE_COLUMNS)


def _conformed(frame: pl.DataFrame, columns: dict[str, pl.DataType]) -> pl.DataFrame:
    missing = [
        pl.lit(None, dtype=kind).alias(name) for name, kind in columns.items() if name not in frame.columns
    ]
    return frame.with_columns(missing).select([pl.col(name).cast(kind) for name, kind in columns.items()])


def quarantined_records(mapped: Mapped, place: Place) -> pl.DataFrame:
    if not place.table.broken and mapped.records["problem"].null_count() == mapped.records.height:
        return _NOT_QUARANTINED
    bad = mapped.records.filter(pl.col("problem").is_not_null()).rename(
        {"problem": "reason_code", "problem_found": "found"}
    )
    broken = pl.DataFrame(
        [(b.row_number, b.column_number, "cell_without_header", b.found) for b in place.table.broken],
        schema={
            "row_number": pl.Int32,
            "column_number": pl.Int32,
            "reason_code": pl.String,
            "found": pl.String,
        },
        orient="row",
    )
    frame = pl.concat([bad, broken], how="diagonal_relaxed").with_columns(unit=pl.lit("record"))
    return _conformed(with_texts(place.located(frame)), QUARANTINE_COLUMNS)


def quarantined_cells(refused: pl.DataFrame, place: Place) -> pl.DataFrame:
    if refused.height == 0:
        return _NOT_QUARANTINED
    frame = refused.rename({"check": "reason_code"})
    if place.target == "readings":
        frame = frame.with_columns(
            row_number=pl.col("line").cast(pl.Int32),
            unit=pl.lit("cell" if place.layout.counts_cells else "record"),
            found=pl.when(pl.col("reason_code") == "unknown_unit")
            .then(pl.col("unit_text"))
            .when(pl.col("reason_code").is_in(["unknown_item_code", "item_not_in_edition"]))
            .then(pl.col("item_code"))
            .otherwise("number_text"),
            period=pl.col("ends_at").cast(pl.String),
        )
    elif place.target in CELLS:
        parts = [
            pl.col(name).cast(pl.String)
            for name in ("year", "period_kind", "period_index", "starts_at", "ends_at")
            if name in frame.columns
        ]
        found = (
            pl.when(pl.col("reason_code") == "unknown_unit")
            .then(pl.col("unit_text"))
            .when(pl.col("reason_code").is_in(["unknown_item_code", "item_not_in_edition"]))
            .then(pl.col("item_code"))
            .otherwise("value_text")
        )
        frame = frame.with_columns(
            found=found, unit=pl.lit("cell"), period=pl.concat_str(parts, separator=" ")
        )
    else:
        cells = [row.get(row["column"]) for row in frame.iter_rows(named=True)]
        texts = [None if cell is None else str(cell) for cell in cells]
        frame = frame.with_columns(pl.Series("found", texts, dtype=pl.String), unit=pl.lit("record"))
    uncomputed = (pl.col("reason_code") == "not_a_number") & pl.col("found").str.contains(UNCOMPUTED)
    frame = frame.with_columns(
        reason_code=pl.when(uncomputed).then(pl.lit("formula_without_value")).otherwise("reason_code")
    )
    return _conformed(with_texts(place.located(frame)), QUARANTINE_COLUMNS)


def unknown_columns(mapped: Mapped, place: Place) -> pl.DataFrame:
    if not mapped.unknown_columns:
        return _NO_NOTES
    frame = pl.DataFrame(
        [(column.number, column.name) for column in mapped.unknown_columns],
        schema={"column_number": pl.Int32, "found": pl.String},
        orient="row",
    ).with_columns(
        row_number=pl.lit(1, dtype=pl.Int32),
        note_code=pl.lit("unknown_column"),
        text_zh=pl.lit("版式不认识的列, 未读取"),
        text_en=pl.lit("a column the layout does not know; not read"),
    )
    return _conformed(place.located(frame), NOTE_COLUMNS)


def hidden_sheets(sheets: list[Sheet], delivery: Delivery, layout: Layout) -> pl.DataFrame:
    """A note for each hidden sheet that a table was read from: people who open the file do not see it."""
    hidden = [
        (delivery.file_id, layout.id, delivery.source, delivery.path, sheet.name, "hidden_sheet_read", sheet.name)
        for sheet in sheets
        if sheet.is_hidden
    ]
    if not hidden:
        return _NO_NOTES
    frame = pl.DataFrame(hidden, schema=dict.fromkeys(_OF_SHEETS, pl.String), orient="row").with_columns(
        text_zh=pl.lit("隐藏的工作表, 已按版式读取"),
        text_en=pl.lit("a hidden sheet, read as the layout says"),
    )
    return _conformed(frame, NOTE_COLUMNS)


_OF_SHEETS = ("file_id", "layout_id", "source", "path", "sheet", "note_code", "found")


def unknown_sheets(sheets: list[Sheet], delivery: Delivery, layout: Layout) -> pl.DataFrame:
    """A note for each sheet with cells that no table of the layout claims and `ignore_sheets` does not name."""
    unnamed = [
        (delivery.file_id, layout.id, delivery.source, delivery.path, sheet.name, "unknown_sheet", sheet.name)
        for sheet in sheets
        if sheet.n_cells
        and not any(re.search(rule.sheets, sheet.name or "") for rule in layout.ignore_sheets)
    ]
    if not unnamed:
        return _NO_NOTES
    frame = pl.DataFrame(unnamed, schema=dict.fromkeys(_OF_SHEETS, pl.String), orient="row").with_columns(
        text_zh=pl.lit("版式不认识的工作表, 未读取"),
        text_en=pl.lit("a sheet the layout does not know; not read"),
    )
    return _conformed(frame, NOTE_COLUMNS)


def filled_cells(place: Place) -> pl.DataFrame:
    if not place.table.filled:
        return _NO_NOTES
    frame = pl.DataFrame(
        place.table.filled,
        schema={"row_number": pl.Int32, "column_number": pl.Int32, "found": pl.String},
        orient="row",
    ).with_columns(
        note_code=pl.lit("merged_cell_filled"),
        text_zh=pl.lit("数据区的合并单元格, 取其左上角的值"),
        text_en=pl.lit("a merged cell in the data area, filled from its top left cell"),
    )
    return _conformed(place.located(frame), NOTE_COLUMNS)


def rejoined_rows(place: Place) -> pl.DataFrame:
    """A note for each row that a separator inside a text had shifted, with the text as it was joined again."""
    if not place.table.rejoined:
        return _NO_NOTES
    frame = pl.DataFrame(
        place.table.rejoined,
        schema={"row_number": pl.Int32, "column_number": pl.Int32, "found": pl.String},
        orient="row",
    ).with_columns(
        note_code=pl.lit("shifted_row_rejoined"),
        text_zh=pl.lit("文字中的分隔符使本行右移, 已按版式合并并移回"),
        text_en=pl.lit(
            "a separator inside a text had shifted this row; joined and moved back as the layout says"
        ),
    )
    return _conformed(place.located(frame), NOTE_COLUMNS)


def repeated_records(place: Place) -> pl.DataFrame:
    """A note for each record of a return that repeats an earlier one cell by cell. It is read all the same."""
    frame = place.table.frame
    if place.target == "readings" or frame.width < 2:
        return _NO_NOTES
    cells = [name for name in frame.columns if name != "row_number"]
    is_repeated = frame.select(cells).is_duplicated()
    if not is_repeated.any():
        return _NO_NOTES
    again = (
        frame.filter(is_repeated)
        .with_columns(first=pl.col("row_number").min().over(cells))
        .filter(pl.col("row_number") > pl.col("first"))
        .select(
            "row_number",
            column_number=pl.lit(None, dtype=pl.Int32),
            found=pl.col("first").cast(pl.String),
            note_code=pl.lit("record_repeated"),
            text_zh=pl.lit("与前面的一行逐格相同, 照常读取; 相同的行号见所示"),
            text_en=pl.lit("repeats an earlier line cell by cell; read all the same. The earlier line"),
        )
    )
    return _conformed(place.located(again), NOTE_COLUMNS)


def net_amounts(rows: pl.DataFrame, mapped: Mapped, place: Place) -> pl.DataFrame:
    """A note for each negative amount of a column that the layout calls net."""
    if not mapped.net_columns:
        return _NO_NOTES
    line = "line" if place.target == "readings" else "row_number"
    below = rows.filter(
        pl.col("column_number").is_in(mapped.net_columns) & pl.col("number_text").str.contains("^-.*[1-9]")
    ).select(
        row_number=pl.col(line).cast(pl.Int32),
        column_number="column_number",
        found="value_text" if "value_text" in rows.columns else "number_text",
        note_code=pl.lit("net_amount_negative"),
        text_zh=pl.lit("净额为负 (外供或上网多于用量), 照常读取"),
        text_en=pl.lit("a net amount below zero (more was passed on or fed back than used); read as it is"),
    )
    return _conformed(place.located(below), NOTE_COLUMNS)


def rounded_readings(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """One note per table when readings have more than the four decimals at which they rest."""
    if place.target != "readings":
        return _NO_NOTES
    first, n_long = long_readings(rows)
    return rounding_note(first, n_long, place) if n_long else _NO_NOTES


def long_readings(rows: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """The first reading that rounding changes, and how many there are."""
    long = rows.filter(pl.col("number_text").str.contains(r"\.\d{4}\d*[1-9]"))
    return long.head(1), long.height


def rounding_note(first: pl.DataFrame, n_long: int, place: Place) -> pl.DataFrame:
    """Rounding is half up, at the fourth decimal, never silent."""
    first = first.select(
        row_number=pl.col("line").cast(pl.Int32),
        column_number="column_number",
        found=pl.col("number_text") + pl.lit(f" (× {n_long})"),
        note_code=pl.lit("digits_rounded"),
        text_zh=pl.lit("读数多于四位小数, 按四舍五入存为四位; 括号内为条数"),
        text_en=pl.lit(
            "readings with more than four decimals rest rounded half up to four; how many stands in brackets"
        ),
    )
    return _conformed(place.located(first), NOTE_COLUMNS)


def records(mapped: Mapped, refused: pl.DataFrame, place: Place) -> pl.DataFrame:
    """Loaded records with the cells that count as loaded: not ignored, not quarantined."""
    sound = mapped.records.filter(pl.col("problem").is_null()).join(
        mapped.ignored_by_row, on="row_number", how="left"
    )
    line = "line" if place.target == "readings" else "row_number"
    if refused.height == 0:
        sound = sound.with_columns(n_bad=pl.lit(0, dtype=pl.Int64))
    elif place.layout.counts_cells and place.target in CELLS:
        bad = refused.group_by(pl.col(line).cast(pl.Int32).alias("row_number")).agg(
            n_bad=pl.col("column_number").n_unique().cast(pl.Int64)
        )
        sound = sound.join(bad, on="row_number", how="left").with_columns(pl.col("n_bad").fill_null(0))
    else:
        rows = refused[line].cast(pl.Int32).to_list()
        sound = sound.filter(~pl.col("row_number").is_in(rows)).with_columns(n_bad=pl.lit(0, dtype=pl.Int64))
    return sound.select(
        "row_number",
        n_cells=pl.col("n_cells") - pl.col("n_ignored") - pl.col("n_bad"),
        sheet=pl.lit(place.table.sheet, dtype=pl.String),
        target=pl.lit(place.target),
    )


def counts(mapped: Mapped, loaded: pl.DataFrame, place: Place) -> Counter[str]:
    """Records and cells by what became of them; `loaded` are the records that were."""
    table = place.table
    n_records = mapped.records.height + len(table.broken)
    all_cells = int(mapped.records["n_cells"].sum() or 0) + sum(b.n_cells for b in table.broken)
    rows = loaded.select("row_number")
    ignored = int(mapped.ignored_by_row.join(rows, on="row_number", how="semi")["n_ignored"].sum() or 0)
    loaded_cells = int(loaded["n_cells"].sum() or 0)
    return Counter(
        {
            "record_loaded": loaded.height,
            "record_quarantined": n_records - loaded.height,
            "record_ignored": sum(aside.is_record and aside.n_cells > 0 for aside in table.set_aside),
            "cell_loaded": loaded_cells,
            "cell_quarantined": all_cells - loaded_cells - ignored,
            "cell_ignored": ignored + sum(aside.n_cells for aside in table.set_aside),
        }
    )
