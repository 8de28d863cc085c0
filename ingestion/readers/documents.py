"""JSON documents to a table of records.

Belongs here: strict parsing, flattening nested maps. Does not belong here: what a key means, XML (`xml_documents`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from ingestion.contracts.messages import Message, Refusal
from ingestion.contracts.numbers import unit_spelling
from ingestion.layouts.model import TableSpec
from ingestion.readers.text import decode
from ingestion.sheets import bounded
from ingestion.tables import Column, SetAside, Table, frame_of

Record = dict[str, str]
WHOLE = "$"
"""`records` of a document that is the list itself, without an envelope."""


def read_json(data: bytes, number: Callable[[str], Any] = str) -> Any:
    """The parsed document, numbers kept as the text that the file holds (or as what `number` makes of it).

    Raises Refusal `broken_json`, `key_twice`.
    """
    try:
        return json.loads(
            decode(data),
            parse_float=number,
            parse_int=number,
            parse_constant=number,
            object_pairs_hook=_without_repeats,
        )
    except (json.JSONDecodeError, RecursionError) as error:
        where = f"{error.lineno}:{error.colno}" if isinstance(error, json.JSONDecodeError) else "nesting"
        raise Refusal(
            "broken_json",
            Message(f"JSON 不完整或有误 (位置 {where})", f"the JSON is incomplete or wrong (at {where})"),
            Message("文件可能没有传完, 请重新导出", "the file may have been cut off; export it again"),
        ) from error


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are all different: of two equal ones a parser would lose the first in silence."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = Counter(names).most_common(1)[0][0]
        raise Refusal(
            "key_twice",
            Message(
                f"JSON 的同一对象中 “{twice}” 出现两次", f"“{twice}” stands twice in one object of the JSON"
            ),
            Message("请保留正确的一个后重新导出", "keep the right one and export it again"),
        )
    return found


def json_table(document: Any, spec: TableSpec) -> Table | None:
    """Records of a parsed JSON document, or None when the document does not have the layout's shape.

    Nested maps become columns with dotted names: rowData {110: …} → `rowData.110`.
    """
    if spec.records == WHOLE:
        document = {WHOLE: document}
    if not isinstance(document, dict) or spec.records is None:
        return None
    records = document.get(spec.records)
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        return None
    flat = [dict(_leaf_items(record, "")) for record in records]
    units = document.get(spec.units_at) if spec.units_at else None
    units = units if isinstance(units, dict) else {}
    outside = [key for key in document if key != spec.records]
    n_outside = sum(len(list(_leaf_items(document[key], key))) for key in outside)
    table = _table(flat, [SetAside(0, n_outside, "document head", False)])
    table.units_by_item = {str(item): unit_spelling(str(unit)) or "" for item, unit in units.items()}
    return table


def _leaf_items(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """(dotted name, text) of every scalar below a value that is neither null nor empty text."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaf_items(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for position, item in enumerate(value, 1):
            yield from _leaf_items(item, f"{name}.{position}")
    elif value not in (None, ""):
        yield name, value if isinstance(value, str) else json.dumps(value)


def _table(records: list[Record], set_aside: list[SetAside]) -> Table:
    names = list(dict.fromkeys(name for record in records for name in record))
    bounded(len(names), len(records))
    rows = [(ordinal, [record.get(name) for name in names]) for ordinal, record in enumerate(records, 1)]
    columns = [Column(number, name, None) for number, name in enumerate(names, 1)]
    return Table(None, columns, frame_of([column.number for column in columns], rows), set_aside)
