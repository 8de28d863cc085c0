"""Landed files before they become bytes: grids of text, JSON documents, workbooks.

Belongs here: the shapes that defects are planted into, and rendering with the same bytes everywhere.
Does not belong here: what stands in a file.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter

CREATED = datetime(2022, 3, 1, 9, 0, 0)
_ZIP_DATE = (2022, 3, 1, 9, 0, 0)


def plain(number: Decimal) -> str:
    return format(number, "f")


def column_letters(column: int) -> str:
    """1 → A, 27 → AA."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


@dataclass
class Grid:
    """A delimited file: every line as a list of texts, line 1 first."""

    encoding: str
    lines: list[list[str]]

    def column(self, name: str, header_line: int = 1) -> int:
        """1-based number of the column with this header."""
        return self.lines[header_line - 1].index(name) + 1

    def find(self, **wanted: str) -> int:
        """1-based line of the only row with these texts under these headers of line 1."""
        places = {self.column(name) - 1: text for name, text in wanted.items()}
        found = [
            n for n, row in enumerate(self.lines, 1) if all(row[at] == text for at, text in places.items())
        ]
        if len(found) != 1:
            raise LookupError(f"{wanted}: {len(found)} rows")
        return found[0]

    def get(self, line: int, column: int) -> str:
        return self.lines[line - 1][column - 1]

    def put(self, line: int, column: int, text: str) -> None:
        self.lines[line - 1][column - 1] = text

    def render(self) -> bytes:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(self.lines)
        return text.getvalue().encode(self.encoding)


@dataclass
class Document:
    """A JSON file; `cut` keeps only the first part of its bytes, as a broken transfer leaves them."""

    content: dict[str, Any]
    cut: bool = False

    def render(self) -> bytes:
        data = json.dumps(self.content, ensure_ascii=False, indent=None, separators=(",", ":"))
        # one document per line keeps the file readable without an editor that folds
        data = data.replace('},{"respondentId"', '},\n{"respondentId"') + "\n"
        encoded = data.encode("utf-8")
        return encoded[: len(encoded) // 2] if self.cut else encoded


@dataclass
class Text:
    """A file whose text is complete already (XML)."""

    text: str

    def render(self) -> bytes:
        return self.text.encode("utf-8")


@dataclass(frozen=True)
class Formula:
    """A formula with the value that a spreadsheet program stored beside it."""

    text: str
    value: float


Cell = str | int | float | Formula | None


@dataclass
class Page:
    """One worksheet. `merged` holds (first row, first column, last row, last column), 1-based; only the top
    left cell of a merged range has a value."""

    name: str
    rows: list[list[Cell]]
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    is_hidden: bool = False

    def merge(self, first_row: int, first_column: int, last_row: int, last_column: int) -> None:
        for row in range(first_row, last_row + 1):
            for column in range(first_column, last_column + 1):
                if (row, column) != (first_row, first_column):
                    self.rows[row - 1][column - 1] = None
        self.merged.append((first_row, first_column, last_row, last_column))


@dataclass
class Workbook:
    pages: list[Page]

    def page(self, name: str) -> Page:
        return next(page for page in self.pages if page.name.startswith(name))

    def render(self) -> bytes:
        buffer = io.BytesIO()
        book = xlsxwriter.Workbook(buffer, {"in_memory": True})
        book.set_properties({"created": CREATED, "author": "示例区能源审计组"})
        centred = book.add_format({"align": "center", "valign": "vcenter"})
        for page in self.pages:
            sheet = book.add_worksheet(page.name)
            if page.is_hidden:
                sheet.hide()
            for number, width in enumerate(page.widths):
                sheet.set_column(number, number, width)
            for top, left, bottom, right in page.merged:
                sheet.merge_range(top - 1, left - 1, bottom - 1, right - 1, "", centred)
            for r, row in enumerate(page.rows):
                for c, value in enumerate(row):
                    if isinstance(value, Formula):
                        sheet.write_formula(r, c, value.text, None, value.value)
                    elif value is not None:
                        is_merged = any(m[0] == r + 1 and m[1] == c + 1 for m in page.merged)
                        sheet.write(r, c, value, *([centred] if is_merged else []))
        book.close()
        return _stored(buffer.getvalue())


def _stored(data: bytes) -> bytes:
    """The same parts without compression and with fixed times: zlib builds pack differently, this does not."""
    result = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(result, "w", zipfile.ZIP_STORED) as target,
    ):
        for name in source.namelist():
            part = zipfile.ZipInfo(name, _ZIP_DATE)
            part.create_system, part.external_attr = 3, 0o600 << 16
            target.writestr(part, source.read(name))
    return result.getvalue()


@dataclass
class Package:
    """A zip file of a node: its members by name; an empty text is a picture nobody reads."""

    members: dict[str, Text]

    def render(self) -> bytes:
        result = io.BytesIO()
        with zipfile.ZipFile(result, "w", zipfile.ZIP_STORED) as target:
            for name, content in self.members.items():
                part = zipfile.ZipInfo(name, _ZIP_DATE)
                part.create_system, part.external_attr = 3, 0o600 << 16
                target.writestr(part, content.render())
        return result.getvalue()


Landed = Grid | Document | Text | Workbook | Package
Landing = dict[str, Landed]


def write(files: dict[str, Landed], folder: Path, wanted: Callable[[str], bool] = lambda _: True) -> None:
    for path, content in sorted(files.items()):
        if wanted(path):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.render())
