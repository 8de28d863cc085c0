"""Excel workbooks to sheets of text cells, merged ranges kept.

Belongs here: calamine, the text form of numbers, dates and booleans in cells. Does not belong here: which
sheet or row means what. Macros are never run and external links never followed: only cell values are read.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
import zlib
from concurrent.futures import Future, ThreadPoolExecutor
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import polars as pl
from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

from ingestion.contracts.messages import Message, Refusal
from ingestion.readers import formulas
from ingestion.sheets import Sheet, bounded, of_columns

# bounds the reader's memory: unpacked parts are held whole while a sheet is read
_LARGEST_UNPACKED = 600 << 20


def read_sheets(data: bytes, separator: str | None = None) -> list[Sheet]:
    """Every sheet in workbook order, hidden ones too. Row and column numbers are the file's own.

    Raises Refusal `not_a_workbook`, `macro_workbook`, `too_large_inside`, `xml_with_entities`.
    """
    _refuse_hostile(data)
    with ThreadPoolExecutor(1) as beside:
        # the parser unpacks a sheet for itself alone, and leaves the other core to the look for formulas
        uncomputed = beside.submit(formulas.uncomputed, data)
        return _sheets(data, uncomputed)


def _sheets(data: bytes, uncomputed: Future[dict[str, dict[tuple[int, int], str]]]) -> list[Sheet]:
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = []
        hidden = {item.name for item in workbook.sheets_metadata if item.visible != SheetVisibleEnum.Visible}
        for name in workbook.sheet_names:
            sheet = workbook.get_sheet_by_name(name)
            rows = _with_formulas(sheet.to_python(skip_empty_area=False), uncomputed.result().get(name, {}))
            bounded(max(map(len, rows), default=0), len(rows))
            columns = [_texts(column) for column in zip(*rows, strict=True)]
            merged = [
                (first[0] + 1, first[1] + 1, last[0] + 1, last[1] + 1)
                for first, last in (sheet.merged_cell_ranges or [])
            ]
            sheets.append(of_columns(name, columns, merged))
            sheets[-1].is_hidden = name in hidden
        return sheets
    except (CalamineError, OSError, ValueError, ElementTree.ParseError) as error:
        raise Refusal(
            "not_a_workbook",
            Message(f"无法作为工作簿打开: {error}", f"cannot be opened as a workbook: {error}"),
            Message(
                "请另存为 .xlsx 后重新上报; 加密的文件请先去除密码",
                "save it as .xlsx and send it again; remove a password first",
            ),
        ) from error


def _with_formulas(rows: list[list[Any]], uncomputed: dict[tuple[int, int], str]) -> list[list[Any]]:
    """A formula that nobody computed stands where its value should: it is shown, and no reader takes it for one."""
    if not uncomputed:
        return rows
    height = max([len(rows), *(row for row, _ in uncomputed)])
    width = max([*map(len, rows), *(column for _, column in uncomputed)])
    bounded(width, height)
    rows = [row + [""] * (width - len(row)) for row in [*rows, *[[] for _ in range(height - len(rows))]]]
    for (row, column), formula in uncomputed.items():
        rows[row - 1][column - 1] = formula
    return rows


def _refuse_hostile(data: bytes) -> None:
    """Look into the container before anything unpacks it: a bomb, a macro or an entity is refused by name."""
    if data.startswith(_OLE):
        if _VBA_OF_XLS in data:
            raise _macros()
        return
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return
    with zipfile.ZipFile(io.BytesIO(data)) as container:
        parts = container.infolist()
        unpacked = sum(part.file_size for part in parts)
        if unpacked > _LARGEST_UNPACKED:
            raise Refusal(
                "too_large_inside",
                Message(
                    f"工作簿解开后有 {unpacked >> 20} MB, 超过 {_LARGEST_UNPACKED >> 20} MB",
                    f"the workbook unpacks to {unpacked >> 20} MB, more than {_LARGEST_UNPACKED >> 20} MB",
                ),
                Message(
                    "请删去多余的格式和空行后另存, 或导出为 CSV",
                    "save it without stray formats and rows, or export it as CSV",
                ),
            )
        if any(_MACRO_PART.search(part.filename) for part in parts):
            raise _macros()
        for part in parts:
            if part.filename.endswith((".xml", ".rels")) and b"<!DOCTYPE" in _head(container, part):
                raise Refusal(
                    "xml_with_entities",
                    Message(
                        f"工作簿的 {part.filename} 带有 DTD 或实体定义, 出于安全不予读取",
                        f"{part.filename} of the workbook declares a DTD or entities, which is refused for safety",
                    ),
                    Message(
                        "请用表格软件另存后重新上报", "save it with a spreadsheet program and send it again"
                    ),
                )


_OLE = b"\xd0\xcf\x11\xe0"
_VBA_OF_XLS = "_VBA_PROJECT".encode("utf-16-le")
_MACRO_PART = re.compile(r"vbaProject\.bin$|^xl/macrosheets/", re.IGNORECASE)
_HEAD = 1 << 16


def _head(container: zipfile.ZipFile, part: zipfile.ZipInfo) -> bytes:
    """The beginning of one part: a document type stands before the first element or nowhere."""
    try:
        with container.open(part) as opened:
            return opened.read(_HEAD)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError):
        return b""  # the parser says what is wrong with it


def _macros() -> Refusal:
    return Refusal(
        "macro_workbook",
        Message(
            "工作簿带有宏, 出于安全不予读取", "the workbook carries macros, which are refused for safety"
        ),
        Message("请另存为 .xlsx 后重新上报", "save it as .xlsx and send it again"),
    )


_NOTHING = type(None)
_FEW = 200
"""Below this many cells one by one is faster."""
_SMALL, _LARGE = 1e-3, 1e15
"""Between these no number is written with an exponent."""


def _texts(column: tuple[object, ...]) -> pl.Series:
    """One column as text. Numbers, which are most of a large workbook, are written all at once."""
    types = list(map(type, column))
    kinds = set(types) - {str, _NOTHING}
    if not kinds:
        return pl.Series(column, dtype=pl.String)
    if kinds != {float} or len(column) < _FEW:
        return pl.Series([_text(value) for value in column], dtype=pl.String)
    values, at, words = list(column), -1, {}
    for _ in range(types.count(str)):
        at = types.index(str, at + 1)
        words[at], values[at] = values[at], None
    numbers = pl.Series(values, dtype=pl.Float64)
    shortest = numbers.cast(pl.String).str.strip_suffix(".0")
    # exponents and what is no number: one by one
    is_odd = ~((numbers == 0) | numbers.abs().is_between(_SMALL, _LARGE))
    odd = {text: _text(float(text)) for text in shortest.filter(is_odd).unique()} if is_odd.any() else {}
    shortest = shortest.replace(odd) if odd else shortest
    return shortest.scatter(list(words), list(words.values())) if words else shortest


def _text(value: object) -> str | None:
    """A cell as text. A float prints its shortest exact form, so 0.1 stays `0.1` and 12.0 is `12`."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return format(Decimal(repr(value)).normalize(), "f") if value == value else None
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, dt.date):
        return value.isoformat()
    text = str(value).strip()
    return text or None
