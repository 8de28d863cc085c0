"""What lies outside a table and a layout may still ask for: labelled cells, titles, the path.

Belongs here: looking cells up in the sheets of a file. Does not belong here: what the texts mean (`mapping`).
"""

from __future__ import annotations

import re

from ingestion.layouts.fields import FieldSpec
from ingestion.layouts.model import TableSpec
from ingestion.mapping import Surroundings
from ingestion.recognition import Reading
from ingestion.tables import Table


def around(path: str, reading: Reading, spec: TableSpec, table: Table) -> Surroundings:
    """Everything that the fields of one table ask for outside it."""
    return Surroundings(path, _labels(reading, spec.fields), _cells(reading, spec, table))


def _labels(reading: Reading, fields: dict[str, FieldSpec]) -> dict[tuple[str | None, str], str]:
    """Right-hand neighbours of the label cells that the layout asks for."""
    origins = [origin for item in fields.values() for origin in item.origins]
    wanted = {(item.on_sheet, item.label) for item in origins if item.label is not None}
    found: dict[tuple[str | None, str], str] = {}
    for on_sheet, label in wanted:
        for sheet in reading.sheets:
            if on_sheet is not None and sheet.name != on_sheet:
                continue
            for row in sheet.rows():
                for at, cell in enumerate(row):
                    if cell is None or re.sub(r"[:：]$", "", cell) != label:
                        continue
                    after = next((text for text in row[at + 1 :] if text is not None), None)
                    if after is not None:
                        found.setdefault((on_sheet, label), after)
    return found


def _cells(reading: Reading, spec: TableSpec, table: Table) -> dict[str, str]:
    """First group of each pattern on a cell of the table's own sheet, such as the date in a title."""
    patterns = {o.cell for item in spec.fields.values() for o in item.origins if o.cell is not None}
    sheets = [sheet for sheet in reading.sheets if sheet.name == table.sheet]

    def first(pattern: str) -> re.Match[str] | None:
        cells = (cell for sheet in sheets for row in sheet.rows() for cell in row if cell)
        return next(filter(None, (re.search(pattern, cell) for cell in cells)), None)

    found = {pattern: first(pattern) for pattern in patterns}
    return {pattern: match.group(1) for pattern, match in found.items() if match is not None}
