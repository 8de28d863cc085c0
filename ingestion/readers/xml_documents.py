"""XML documents to tables of records: one parse, several kinds of records, each cell in one of them.

Belongs here: hardened parsing, XPath of a layout, flattening a record. Does not belong here: what a name means.
Names lose their namespace: senders change prefixes and addresses, the words stay. XML is read without entities,
DTD or network: a document that declares any is refused.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from typing import Any

from lxml import etree

from ingestion.contracts.messages import Message, Refusal
from ingestion.layouts.model import TableSpec
from ingestion.sheets import bounded
from ingestion.tables import Column, SetAside, Table, frame_of

_PARSER_OPTIONS: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}


def xml_tables(data: bytes, specs: list[TableSpec]) -> list[Table | None]:
    """The records of each table, None where there are none.

    A record has its leaf elements and attributes (`@ID`, `Element@IDref`), those of the elements around it, and what
    `paths` leads to. A leaf belongs to the innermost record around it; outside every record it is set aside.
    Raises Refusal `broken_xml` (not well-formed, or half a file) and `xml_with_entities`.
    """
    root = _parsed(data)
    document = _Document(root)
    found = [document.all_at(spec.records or "") for spec in specs]
    owned: dict[Any, int] = {}
    for number, records in enumerate(found):
        for record in records:
            owned.setdefault(record, number)
    tables: list[Table | None] = []
    n_inside = 0
    for number, (spec, records) in enumerate(zip(specs, found, strict=True)):
        # an element that an earlier table takes as its record is not taken twice
        own = [record for record in records if owned[record] == number]
        table = _table(document, spec, own, owned) if own else None
        n_inside += sum(_n_cells(record, owned) for record in own)
        tables.append(table)
    if len(specs) > 1:
        # a row's number is its ordinal among records of one kind
        for spec, table in zip(specs, tables, strict=True):
            if table is not None:
                table.sheet = spec.records
    first = next((table for table in tables if table is not None), None)
    if first is not None:
        first.set_aside.append(SetAside(0, _n_cells(root, {}) - n_inside, "document head", False))
    return tables


def _parsed(data: bytes) -> Any:
    try:
        root = etree.parse(io.BytesIO(data), etree.XMLParser(**_PARSER_OPTIONS)).getroot()
    except etree.XMLSyntaxError as error:
        raise Refusal(
            "broken_xml",
            Message(f"XML 不完整或有误: {error.msg}", f"the XML is incomplete or wrong: {error.msg}"),
            Message("文件可能没有传完, 请重新导出", "the file may have been cut off; export it again"),
        ) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise Refusal(
            "xml_with_entities",
            Message(
                "XML 带有 DTD 或实体定义, 出于安全不予读取",
                "the XML declares a DTD or entities, which is refused for safety",
            ),
            Message("请去掉 <!DOCTYPE …> 后重新导出", "export it without <!DOCTYPE …>"),
        )
    for element in root.iter():
        element.tag = etree.QName(element).localname
        for name in [str(name) for name in element.attrib]:
            if name.startswith("{"):
                element.attrib[etree.QName(name).localname] = element.attrib.pop(name)
    return root


class _Document:
    """A parsed document and the paths that a layout follows in it.

    `referred(@IDref)` are the elements that an id names, `referring(@ID)` those that name it.
    """

    def __init__(self, root: Any) -> None:
        self.root = root
        self._by: dict[str, dict[str, list[Any]]] = {}
        self._compiled: dict[str, Any] = {}

    def all_at(self, path: str) -> list[Any]:
        """Elements at a path that starts with the root's own name."""
        found = self._follow("/" + path, self.root)
        return [item for item in found if isinstance(item, etree._Element)] if isinstance(found, list) else []

    def text_at(self, path: str, start: Any) -> str | None:
        """The text a path leads to; nothing when it leads to several that differ."""
        found = self._follow(path, start)
        items = found if isinstance(found, list) else [found]
        texts = {_text(item) if isinstance(item, etree._Element) else str(item).strip() for item in items} - {
            ""
        }
        return texts.pop() if len(texts) == 1 else None

    def _follow(self, path: str, start: Any) -> Any:
        if path not in self._compiled:
            named = {"referred": self._named("ID"), "referring": self._named("IDref")}
            extensions = {(None, name): function for name, function in named.items()}
            self._compiled[path] = etree.XPath(path, extensions=extensions)
        return self._compiled[path](start)

    def _named(self, attribute: str) -> Any:
        def elements(_: Any, ids: list[str]) -> list[Any]:
            if attribute not in self._by:
                self._by[attribute] = {}
                for element in self.root.iter():
                    if attribute in element.attrib:
                        self._by[attribute].setdefault(element.get(attribute), []).append(element)
            return [element for name in ids for element in self._by[attribute].get(str(name), [])]

        return elements


def _table(document: _Document, spec: TableSpec, records: list[Any], owned: dict[Any, int]) -> Table:
    cells = []
    for record in records:
        around = {
            f"{ancestor.tag}@{name}": value.strip()
            for ancestor in record.iterancestors()
            for name, value in ancestor.attrib.items()
        }
        around |= {name: document.text_at(path, record) or "" for name, path in spec.paths.items()}
        cells.append((around, _own_cells(record, owned, set(around))))
    outside = dict.fromkeys(name for around, _ in cells for name in around)
    inside = dict.fromkeys(name for _, own in cells for name in own)
    columns = [
        Column(number, name, None, is_outside=name in outside)
        for number, name in enumerate([*outside, *inside], 1)
    ]
    bounded(len(columns), len(records))
    nothing = {"", *spec.nothing}
    rows = [
        (ordinal, [_or_none({**around, **own}.get(column.name), nothing) for column in columns])
        for ordinal, (around, own) in enumerate(cells, 1)
    ]
    table = Table(None, columns, frame_of([column.number for column in columns], rows))
    for ordinal, (_, own) in enumerate(cells, 1):
        n_nothing = sum(text in nothing for text in own.values())
        if n_nothing:
            table.n_more[ordinal] += n_nothing
    origins = [origin for item in spec.fields.values() for origin in item.origins]
    for wanted in {origin.element for origin in origins if origin.element is not None}:
        text = document.text_at("/" + wanted, document.root)
        if text is not None:
            table.elements[wanted] = text
    return table


def _or_none(text: str | None, nothing: set[str]) -> str | None:
    return None if text in nothing else text


def _own_cells(record: Any, owned: dict[Any, int], taken: set[str]) -> dict[str, str]:
    """Leaf texts and attributes by name; a name that repeats in a record is numbered so that nothing is lost."""
    cells: dict[str, str] = {}
    repeats: Counter[str] = Counter(taken)
    for name, text in _cells_of(record, record, owned):
        bounded(len(cells), 1)
        cells[name + "'" * repeats[name]] = text
        repeats[name] += 1
    return cells


def _cells_of(element: Any, record: Any, owned: dict[Any, int]) -> Iterator[tuple[str, str]]:
    own_name = "" if element is record else element.tag
    for name, value in element.attrib.items():
        if value.strip():
            yield f"{own_name}@{name}", value.strip()
    if len(element) == 0:
        text = _text(element)
        if text:
            yield element.tag, text
    for child in element:
        if child not in owned:
            yield from _cells_of(child, record, owned)


def _n_cells(element: Any, owned: dict[Any, int]) -> int:
    return sum(1 for _ in _cells_of(element, element, owned))


def _text(element: Any) -> str:
    return (element.text or "").strip()
