"""Which large files may leave the general reader, by what their layout asks for.

Belongs here: the keys of a layout that look at one line alone, and which columns the typed reader must take.
A key that is not named here keeps a file with the general reader: what streaming does not know it does not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from ingestion.layouts.fields import FieldSpec
from ingestion.layouts.model import Layout, TableSpec, ValueSpec
from ingestion.mapping import field_columns
from ingestion.spans import repeats_hours
from ingestion.tables import Column, Table
from ingestion.typed import STAMP_FORMATS

_BY_LINE = {
    "target", "sheet", "header_at", "header_rows", "header_separator", "headers", "unit_row", "fields", "values",
    "ignore_columns", "shifted_rows", "nothing", "interval_minutes",
}  # fmt: skip
"""Keys of a table that say something of one line, or of the header, and of no other line."""
_TYPED = _BY_LINE - {"shifted_rows"}
_TYPED_FIELD = {"column", "constant", "path", "kind", "format", "hour_24", "matches", "lookup", "optional"}
_TYPED_VALUE = {"columns", "item", "unit", "fields", "nothing", "lookup"}
_DIRECTIVES = {"Y", "m", "d", "H", "M", "S"}
"""Parts of a date form that say a moment of the local clock, and no more."""
_NUMBER = re.compile(r"\d+(\.\d*)?")


@dataclass(frozen=True)
class Plan:
    """How the lines are typed. Columns are named by number.

    `stamps`: field → (column, forms of its text). `kinds`: columns whose texts, together, say everything of a
    line besides its stamps and its amount. `unnamed`: columns without a header, where nothing may stand.
    """

    n_columns: int
    n_head: int
    separator: str
    stamps: dict[str, tuple[int, tuple[str, ...]]]
    value_column: int
    kinds: tuple[int, ...]
    unnamed: tuple[int, ...]


def reads_by_line(layout: Layout) -> bool:
    """Whether the general reader may take the file in pieces: no line depends on another, save the header."""
    spec = layout.tables[0]
    return (
        layout.kind == "delimited"
        and layout.target == "readings"
        and len(layout.tables) == 1
        and not layout.counts_cells
        and layout.name_says is None
        and _says_only(spec, _BY_LINE)
        and not any(
            origin.label or origin.cell or (origin.clock and repeats_hours(origin.clock))
            for item in spec.fields.values()
            for origin in item.origins
        )
    )


def plan_of(layout: Layout, spec: TableSpec, table: Table, n_columns: int, separator: str) -> Plan | None:
    """How to read a file typed, None when its layout asks for more. `spec` is placed, `table` the file's head."""
    values = _value_columns(spec, table)
    if len(values) != 1 or len(separator.encode()) != 1:
        return None
    value, column = values[0]
    if not _is_plain(spec) or not _says_only(value, _TYPED_VALUE) or _numbers(value.nothing + spec.nothing):
        return None
    stamps: dict[str, tuple[int, tuple[str, ...]]] = {}
    kinds: set[int] = set()
    for name, item in spec.fields.items():
        place = table.column(item.column_names) if item.column_names else None
        if place is None:
            continue
        if item.kind == "datetime":
            forms = _forms(item, table.frame[f"c{place.number}"])
            if name not in ("starts_at", "ends_at") or forms is None:
                return None
            stamps[name] = (place.number, forms)
        else:
            kinds.add(place.number)
    unit = table.column([value.unit.column]) if value.unit.column else None
    if unit is not None:
        kinds.add(unit.number)
    used = kinds | {column.number} | {number for number, _ in stamps.values()}
    said = set(value.unit.fields or ())
    stamped = {number for number, _ in stamps.values()}
    if not stamps or said & set(stamps) or kinds & (stamped | {column.number}) or max(used) > n_columns:
        return None
    named = {item.number for item in table.columns}
    return Plan(
        n_columns,
        max([0, *spec.header_rows, spec.unit_row or 0]),
        separator,
        stamps,
        column.number,
        tuple(sorted(kinds)),
        tuple(number for number in range(1, n_columns + 1) if number not in named),
    )


def _says_only(item: TableSpec | FieldSpec | ValueSpec, known: set[str]) -> bool:
    """Whether everything that differs from its default is known here."""
    return all(
        name in known or getattr(item, name) == field.get_default(call_default_factory=True)
        for name, field in type(item).model_fields.items()
    )


def _is_plain(spec: TableSpec) -> bool:
    return (
        _says_only(spec, _TYPED)
        and all(_says_only(item, _TYPED_FIELD) for item in spec.fields.values())
        and all(item.kind not in ("date", "period") for item in spec.fields.values())
    )


def _value_columns(spec: TableSpec, table: Table) -> list[tuple[ValueSpec, Column]]:
    taken = field_columns(spec)
    return [
        (value, column)
        for value in spec.values
        for column in table.columns
        if column.name not in taken and re.fullmatch(value.columns, column.name)
    ]


def _forms(item: FieldSpec, texts: pl.Series) -> tuple[str, ...] | None:
    """The forms of a stamp in the order the general reader tries them; None for what only it can read.

    Of the usual forms no two fit one text, so the one of the first lines will do.
    """
    forms = [item.format] if isinstance(item.format, str) else item.format
    if item.matches is not None or item.lookup is not None:
        return None
    if forms is None:
        read = {form: texts.str.to_datetime(form, strict=False).count() for form in STAMP_FORMATS}
        forms = [max(read, key=lambda form: read[form])]
    if not all({"Y", "m", "d", "H", "M"} <= set(found) <= _DIRECTIVES for found in map(_parts, forms)):
        return None
    return tuple(forms)


def _parts(form: str) -> list[str]:
    return re.findall(r"%(.?)", form)


def _numbers(texts: list[str]) -> bool:
    return any(_NUMBER.fullmatch(text) for text in texts)
