"""Formulas of a workbook that nobody computed: cells whose worth the file does not hold.

Belongs here: looking into the sheet parts of an .xlsx for formulas without a value. Does not belong here: computing
one. A spreadsheet program stores the result beside each formula; programs that write workbooks often leave it out,
or write 0 and ask the reader to compute the whole book when it opens it.
"""

from __future__ import annotations

import io
import re
import zipfile
from xml.etree import ElementTree

_FORMULA = re.compile(rb"<(?:\w+:)?f[ >/]")
_SHEETS = "xl/workbook.xml"
_TARGETS = "xl/_rels/workbook.xml.rels"


def uncomputed(data: bytes) -> dict[str, dict[tuple[int, int], str]]:
    """Sheet name → (row, column) → formula, 1-based, for formulas without a value. Other containers hold none."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return {}
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        if not {_SHEETS, _TARGETS} <= set(parts.namelist()):
            return {}
        book = ElementTree.fromstring(parts.read(_SHEETS))
        targets = {
            item.get("Id"): (item.get("Target") or "").removeprefix("/xl/")
            for item in ElementTree.fromstring(parts.read(_TARGETS))
        }
        zero_is_open = any(
            _local(item.tag) == "calcPr" and item.get("fullCalcOnLoad") in ("1", "true") for item in book.iter()
        )
        found = {}
        for sheet in (item for item in book.iter() if _local(item.tag) == "sheet"):
            identity = next((value for key, value in sheet.attrib.items() if _local(key) == "id"), None)
            part = f"xl/{targets.get(identity, '')}"
            # most sheets hold no formula: do not parse them for it
            if part in parts.namelist() and _holds_formulas(parts, part):
                found[sheet.get("name") or ""] = _of_sheet(parts.read(part), zero_is_open)
        return {name: cells for name, cells in found.items() if cells}


def _holds_formulas(parts: zipfile.ZipFile, part: str) -> bool:
    """Block by block: an unpacked sheet is large. The letter alone is looked for first, it is the fastest to miss."""
    end = b""
    with parts.open(part) as opened:
        while block := opened.read(_BLOCK):
            block = end + block
            if b"f" in block and (b"<f" in block or b":f" in block) and _FORMULA.search(block):
                return True
            end = block[-_LONGEST_TAG:]
    return False


_BLOCK = 1 << 20
_LONGEST_TAG = 256
"""Bytes of a tag's beginning, with a prefix, that two blocks may share."""


def _of_sheet(content: bytes, zero_is_open: bool) -> dict[tuple[int, int], str]:
    cells = {}
    for _, cell in ElementTree.iterparse(io.BytesIO(content)):
        if _local(cell.tag) != "c":
            continue
        texts = {_local(item.tag): item.text or "" for item in cell}
        place = re.fullmatch(r"([A-Z]+)(\d+)", cell.get("r") or "")
        if "f" in texts and place is not None:
            value = texts.get("v", "").strip()
            is_open = value == "" and cell.get("t") != "str"
            if is_open or (zero_is_open and re.fullmatch(r"0(\.0+)?", value)):
                cells[(int(place.group(2)), _number(place.group(1)))] = "=" + (texts["f"] or "…")
        cell.clear()
    return cells


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _local(tag: str) -> str:
    return tag.rsplit("}", 1)[-1]
