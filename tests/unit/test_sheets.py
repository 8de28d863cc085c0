"""Grids of text: the fast ways give what the plain ways give, and no file makes one that memory cannot hold."""

from __future__ import annotations

import csv
import datetime as dt
import io
import random
import re
import struct
import zipfile

import openpyxl
import pytest
import xlsxwriter

from ingestion import counting
from ingestion.contracts.messages import Refusal
from ingestion.readers import delimited, formulas, workbook
from ingestion.sheets import MAX_COLUMNS, of_lines, of_rows


def plainly(text: str, separator: str) -> list[tuple[str | None, ...]]:
    """Cell by cell with the standard library, rows filled up to the longest."""
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    width = max(map(len, rows))
    return [tuple((cell.strip() or None) for cell in row) + (None,) * (width - len(row)) for row in rows]


def drawn(seed: int, parts: list[str]) -> str:
    draw = random.Random(seed)
    return "x" + "".join(draw.choice(parts) for _ in range(draw.randrange(1, 80))) + ",y"


PLAIN = [
    "a",
    "12.50",
    " ",
    "\t",
    "\u3000",
    "\xa0",
    "\x1c",
    ",",
    ",",
    ",,",
    ";",
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    "’",
    "万",
    "\0",
    "\x0b",
]
QUOTED = [*PLAIN, '"b",', ',"c, d",', ',"e\nf",', ',"g ""h"" i"\r\n', ',""\n', ',"  ",', '2" pipe']


@pytest.mark.parametrize("parts", [PLAIN, QUOTED], ids=["plain", "quoted"])
def test_delimited_text_is_what_the_standard_library_reads(parts: list[str]) -> None:
    n_read = 0
    for seed in range(1500):
        text = "\ufeff" + drawn(seed, parts)
        try:
            expected = plainly(text[1:], ",")
        except csv.Error:
            with pytest.raises(Refusal):
                delimited.read_sheets(text.encode(), ",")
            continue
        found = list(delimited.read_sheets(text.encode(), ",")[0].rows())
        assert found == expected, repr(text)
        n_read += 1
        cells = sum(cell is not None for row in expected for cell in row)
        records = sum(any(cell is not None for cell in row) for row in expected)
        assert counting.count(text.encode(), "delimited", separator=",") == {
            "record": records,
            "cell": cells,
        }, repr(text)
    assert n_read > 500


def test_numbers_of_a_column_are_written_as_one_by_one() -> None:
    draw = random.Random(7)
    numbers = [struct.unpack("d", struct.pack("Q", draw.getrandbits(64)))[0] for _ in range(20_000)]
    numbers += [draw.randrange(10**12) / 100 for _ in range(20_000)]
    numbers += [
        0.0,
        -0.0,
        12.0,
        0.1,
        1e15,
        1e16,
        123456789012345680.0,
        1e-4,
        1e-5,
        5e-324,
        1e22,
        float("nan"),
    ]
    column = (*numbers, "name", "12.0", None)
    assert workbook._texts(column).to_list() == [workbook._text(value) for value in column]
    mixed = (1.5, True, dt.date(2021, 1, 2), "x", None)
    assert workbook._texts(mixed).to_list() == ["1.5", "TRUE", "2021-01-02", "x", None]


@pytest.mark.parametrize("is_plain", [True, False])
def test_both_counts_of_a_workbook_agree(is_plain: bool) -> None:
    """A workbook of another program has texts in the cells; one blank text sends the count to the parser."""
    packed = io.BytesIO()
    if is_plain:
        book = xlsxwriter.Workbook(packed, {"in_memory": True})
        sheet = book.add_worksheet()
        for at, value in enumerate(["a", 1.5, 0, True, "x & <y>"]):
            sheet.write(at, at, value)
        sheet.write_formula(7, 1, "=1+1", value=2)
        sheet.write_blank(8, 1, None, book.add_format({"bold": True}))
        book.close()
    else:
        table = openpyxl.Workbook()
        for row in (["a", " ", 1.5], [None, "<v>", "  "], [True, 0, "b"], ["", None, 7]):
            table.active.append(row)
        table.save(packed)
    data = packed.getvalue()
    assert counting.count(data, "workbook") == {
        "cell": sum(sheet.n_cells for sheet in workbook.read_sheets(data))
    }
    assert counting.count(data, "workbook") == {"cell": 6 if is_plain else 7}


OPEN_CELLS = {
    "<c r='A1'><f>1+1</f></c>": 1,
    "<c r='A1'><f>1+1</f><v></v></c>": 1,
    "<c r='A1'><f>1+1</f><v/></c>": 1,
    "<c r='A1'><f si='0' t='shared'/><v/></c>": 1,
    "<c r='A1'><f>1+1</f><v>2</v></c><c r='B1' t='inlineStr'><is><t></t></is></c>": 1,
    "<c r='A1' t='str'><f>1</f><v></v></c><c r='B1'><v>1</v></c>": 1,
    "<c r='A1'><v></v></c><c r='B1' s='1'/><c r='C1'><v/></c>": 0,
}


@pytest.mark.parametrize("cells", OPEN_CELLS)
def test_formulas_without_a_value_and_empty_cells_are_counted_as_they_are_read(
    cells: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed, changed = io.BytesIO(), io.BytesIO()
    with xlsxwriter.Workbook(packed, {"in_memory": True}) as book:
        book.add_worksheet().write(0, 0, 1)
    with zipfile.ZipFile(packed) as parts, zipfile.ZipFile(changed, "w") as other:
        for name in parts.namelist():
            content = parts.read(name)
            if name == "xl/worksheets/sheet1.xml":
                content = re.sub(rb"<c r=.*?</c>", cells.replace("'", '"').encode(), content)
            other.writestr(name, content)
    data = changed.getvalue()
    assert counting.count(data, "workbook") == {"cell": OPEN_CELLS[cells]}
    for size in (1, 7, 60):
        monkeypatch.setattr(counting, "_BLOCK", size)
        assert counting.count(data, "workbook") == {"cell": OPEN_CELLS[cells]}
    assert sum(sheet.n_cells for sheet in workbook.read_sheets(data)) == OPEN_CELLS[cells]


def test_a_formula_is_found_where_two_blocks_of_a_sheet_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = io.BytesIO()
    table = openpyxl.Workbook()
    table.active.append([1, "=1+1", "x"])
    table.save(packed)
    for size in range(1, 40):
        monkeypatch.setattr(formulas, "_BLOCK", size)
        assert formulas.uncomputed(packed.getvalue()) == {"Sheet": {(1, 2): "=1+1"}}


def test_a_sheet_knows_its_cells() -> None:
    sheet = of_rows("s", [["a", " ", None], [], ["b", "c", "d", ""]])
    assert (sheet.height, sheet.width, sheet.n_cells) == (3, 4, 4)
    assert sheet.row(3) == ("b", "c", "d", None)
    assert (sheet.cell(1, 1), sheet.cell(1, 2), sheet.cell(9, 1), sheet.cell(1, 9)) == ("a", None, None, None)
    assert list(of_lines(None, ["a;b;c", "d", "", ";e"], ";").rows()) == [
        ("a", "b", "c"),
        ("d", None, None),
        (None, None, None),
        (None, "e", None),
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("," * 10**6, "too_many_columns"),
        ('"a"' + "," * 10**6, "too_many_columns"),
        ("," * (MAX_COLUMNS - 1) + "\n1" * 7000, "too_many_cells"),
        ('"a"' + "," * (MAX_COLUMNS - 1) + "\n1" * 7000, "too_many_cells"),
    ],
    ids=["columns", "columns-quoted", "cells", "cells-quoted"],
)
def test_a_line_of_separators_is_refused_before_it_takes_memory(text: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        delimited.read_sheets(("x" + text).encode(), ",")
    assert refused.value.code == code
    assert refused.value.mend.zh
