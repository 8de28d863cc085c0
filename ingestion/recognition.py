"""Finds the layout of a file: exactly one must fit.

Belongs here: reading a file once per format and holding each layout's demands against what is there.
Does not belong here: mapping columns, judging values.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field
from typing import Any

from ingestion.contracts.identity import cell_name
from ingestion.contracts.messages import Message, Refusal
from ingestion.layouts.model import Layout, TableSpec
from ingestion.mapping import missing_columns, repeated_headers
from ingestion.readers import compressed, delimited, documents, workbook, xml_documents
from ingestion.sheets import LIMITS, Sheet
from ingestion.tables import Column, Table, header_of, placed, table_of

_SUFFIXES = {
    "delimited": (".csv", ".tsv", ".txt"),
    "workbook": (".xlsx", ".xlsm", ".xls"),
    "grid": (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls"),
    "json": (".json",),
    "xml": (".xml",),
}


@dataclass
class Reading:
    """A recognised file: its layout, its tables in layout order, and the sheets they came from."""

    layout: Layout
    tables: list[tuple[TableSpec, Table]]
    sheets: list[Sheet] = field(default_factory=list)


@dataclass
class _Opened:
    """One file, parsed at most once per format."""

    data: bytes
    cache: dict[Any, Any] = field(default_factory=dict)

    def sheets(self, layout: Layout) -> list[Sheet]:
        key = (layout.kind, layout.separator)
        if key not in self.cache:
            reader = delimited.read_sheets if layout.kind == "delimited" else workbook.read_sheets
            self.cache[key] = reader(self.data, layout.separator)
        return self.cache[key]  # type: ignore[no-any-return]

    def header(self, sheet: Sheet, spec: TableSpec) -> list[Column]:
        """Columns of a sheet; layouts that look for their header in the same lines have the same."""
        where = (id(sheet), *spec.header_rows, spec.unit_row, spec.header_separator, str(spec.column_of_word))
        if where not in self.cache:
            self.cache[where] = header_of(sheet, spec)
        return self.cache[where]  # type: ignore[no-any-return]

    def document(self) -> Any:
        if "json" not in self.cache:
            self.cache["json"] = documents.read_json(self.data)
        return self.cache["json"]


def recognise(data: bytes, path: str, source: str, layouts: list[Layout]) -> Reading:
    """The one layout that fits.

    Raises Refusal: `empty_file`, a reader's own refusal, `unknown_layout` (with what came nearest) or
    `two_layouts`.
    """
    if not data.strip():
        raise Refusal(
            "empty_file",
            Message("文件是空的", "the file is empty"),
            Message("请重新导出并确认文件大小", "export it again and look at its size"),
        )
    path_inside = re.sub(r"\.gz$", "", path, flags=re.IGNORECASE)
    data = compressed.expand(data)
    suffix = "." + path_inside.rsplit(".", 1)[-1].lower() if "." in path_inside.rsplit("/", 1)[-1] else ""
    candidates = [
        _as_kind(item, suffix) for item in layouts if item.source == source and suffix in _SUFFIXES[item.kind]
    ]
    opened, fitting, nearest, refusal = _Opened(data), [], [], None
    for layout in candidates:
        if layout.recognise.path and not fnmatch.fnmatch(path, layout.recognise.path):
            continue
        try:
            reading, missing = _try(opened, layout)
        except Refusal as error:
            refusal = error
            continue
        if reading is not None:
            fitting.append(reading)
        else:
            nearest.append((len(missing), layout, missing))
    if len(fitting) == 1:
        _refuse_repeated_headers(fitting[0])
        return fitting[0]
    if fitting:
        names = ", ".join(reading.layout.id for reading in fitting)
        raise Refusal(
            "two_layouts",
            Message(f"有多个版式都能读这个文件: {names}", f"more than one layout fits this file: {names}"),
            Message(
                "请让其中一个版式的 recognise 更具体", "make the recognise part of one of them more specific"
            ),
        )
    if refusal is not None and (not nearest or refusal.code in LIMITS):
        raise refusal
    raise _unknown(suffix, nearest)


def _refuse_repeated_headers(reading: Reading) -> None:
    """One name over two columns that the layout reads: taking either would be a guess."""
    for spec, table in reading.tables:
        twice = repeated_headers(table, spec)
        if twice:
            name = twice[0].name
            row = max(spec.header_rows, default=1)
            cells = ", ".join(cell_name(row, column.number) for column in twice if column.name == name)
            raise Refusal(
                "header_twice",
                Message(
                    f"表头 “{name}” 出现不止一次: {cells}",
                    f"the header “{name}” stands more than once: {cells}",
                ),
                Message(
                    "请改正其中一个列名, 或删去不用的一列, 然后重新上报",
                    "rename one of the columns, or leave out the one that is not meant, and send it again",
                ),
            )


def _as_kind(layout: Layout, suffix: str) -> Layout:
    """A layout of grids reads the file at hand as what it is."""
    if layout.kind != "grid":
        return layout
    return layout.model_copy(update={"kind": "workbook" if suffix in _SUFFIXES["workbook"] else "delimited"})


def _unknown(suffix: str, nearest: list[tuple[int, Layout, list[str]]]) -> Refusal:
    if nearest:
        _, layout, missing = min(nearest, key=lambda item: (item[0], item[1].id))
        shown = ", ".join(missing[:5])
        found = Message(
            f"没有版式能读这个文件; 最接近的是 {layout.id}, 缺少: {shown}",
            f"no layout fits this file; the nearest is {layout.id}, which misses: {shown}",
        )
    else:
        found = Message(
            f"没有版式能读这类文件 ({suffix or '无扩展名'})",
            f"no layout reads this kind of file ({suffix or 'no suffix'})",
        )
    return Refusal(
        "unknown_layout",
        found,
        Message(
            "请核对导出的表样, 或在 layouts/ 中增加一个版式文件",
            "check which form was exported, or add a layout file in layouts/",
        ),
    )


def _try(opened: _Opened, layout: Layout) -> tuple[Reading | None, list[str]]:
    """The reading if the layout fits, else what it misses."""
    if layout.kind in ("delimited", "workbook"):
        sheets = opened.sheets(layout)
        missing = _missing_in_headers(opened, sheets, layout)
        if missing:
            return None, missing
        tables = _sheet_tables(sheets, layout)
    else:
        sheets = []
        tables = _document_tables(opened, layout)
    missing = [
        f"table {number}"
        for number, (spec, found) in enumerate(zip(layout.tables, tables, strict=True), 1)
        if found is None and not spec.optional
    ]
    present = [(spec, table) for spec, table in zip(layout.tables, tables, strict=True) if table is not None]
    names = {column.name for _, table in present for column in table.columns}
    missing += _unlike_names(names, layout)
    for spec, table in present:
        missing += missing_columns(table, spec)
    if layout.kind != "json":
        missing += _unlike(present, layout.recognise.values)
    return (Reading(layout, present, sheets), []) if not missing else (None, missing)


def _unlike_names(names: set[str], layout: Layout) -> list[str]:
    """Columns that should be there and are not, and those that should not be and are."""
    missing = [pattern for pattern in layout.recognise.columns if not _is_among(pattern, names)]
    return missing + [
        f"without {pattern}" for pattern in layout.recognise.without if _is_among(pattern, names)
    ]


def _is_among(pattern: str, names: set[str]) -> bool:
    """Whether a name matches. Most patterns are names: of scores of layouts, only the others ask every column."""
    if not _SPECIAL.search(pattern):
        return pattern in names
    matches = re.compile(pattern).fullmatch
    return any(matches(name) for name in names)


_SPECIAL = re.compile(r"[\\^$.|?*+()\[\]{}]")
"""Marks without which an expression matches itself alone."""


def _missing_in_headers(opened: _Opened, sheets: list[Sheet], layout: Layout) -> list[str]:
    """What headers and the first line rule out, before any table is cut: most layouts fail here, a cut is the cost."""
    names: set[str] = set()
    unlike: list[str] = []
    for spec in layout.tables:
        sheet = next((s for s in sheets if spec.sheet is None or re.search(spec.sheet, s.name or "")), None)
        there = placed(sheet, spec) if sheet is not None else None
        if sheet is not None and there is not None:
            columns = opened.header(sheet, there[1])
            names |= {column.name for column in columns}
            unlike += _unlike_in_first_line(sheet, there[1], columns, layout)
    return unlike + _unlike_names(names, layout)


def _unlike_in_first_line(sheet: Sheet, spec: TableSpec, columns: list[Column], layout: Layout) -> list[str]:
    """Values of the only table's first line that are there and not as they should be; an edition's code mostly."""
    patterns = layout.recognise.values
    if not patterns or len(layout.tables) > 1 or spec.ignore_rows or not spec.header_rows:
        return []
    line = max([*spec.header_rows, spec.unit_row or 0]) + 1
    found = {column.name: sheet.cell(line, column.number) for column in columns if column.name in patterns}
    return [
        f"{name} ~ {pattern}"
        for name, pattern in patterns.items()
        if (text := found.get(name)) is not None and not re.search(pattern, text)
    ]


def _sheet_tables(sheets: list[Sheet], layout: Layout) -> list[Table | None]:
    """The layout's tables, None where one is not there. Several on one sheet divide its lines between them."""
    found: list[tuple[Sheet, int, TableSpec] | None] = []
    for spec in layout.tables:
        named = [sheet for sheet in sheets if spec.sheet is None or re.search(spec.sheet, sheet.name or "")]
        # an old copy that was hidden goes behind the sheet that people see
        named.sort(key=lambda sheet: sheet.is_hidden)
        there = placed(named[0], spec) if named else None
        found.append((named[0], *there) if there is not None else None)
    starts: dict[str | None, list[int]] = {}
    for sheet, start, _ in filter(None, found):
        starts[sheet.name] = sorted({*starts.get(sheet.name, []), start})
    return [table_of(item[0], item[2], _lines(item[0], item[1], starts)) if item else None for item in found]


def _lines(sheet: Sheet, start: int, starts: dict[str | None, list[int]]) -> range:
    """A table's own lines: from its start, the first from the top, to the start of the next."""
    of_sheet = starts[sheet.name]
    following = [other for other in of_sheet if other > start]
    return range(1 if start == of_sheet[0] else start, following[0] if following else sheet.height + 1)


def _unlike(present: list[tuple[TableSpec, Table]], patterns: dict[str, str]) -> list[str]:
    """What the first record should look like and does not: the only mark of a file without a header."""
    missing = []
    for name, pattern in patterns.items():
        cells = [
            table.frame[f"c{column.number}"][0]
            for _, table in present
            for column in table.columns
            if column.name == name and table.frame.height
        ]
        if not any(re.search(pattern, cell or "") for cell in cells):
            missing.append(f"{name} ~ {pattern}")
    return missing


def _document_tables(opened: _Opened, layout: Layout) -> list[Table | None]:
    if layout.kind == "json":
        document = opened.document()
        head = document if isinstance(document, dict) else {}
        if any(
            not re.search(pattern, str(head.get(key, ""))) for key, pattern in layout.recognise.values.items()
        ):
            return [None for _ in layout.tables]
        return [documents.json_table(document, spec) for spec in layout.tables]
    return xml_documents.xml_tables(opened.data, layout.tables)
