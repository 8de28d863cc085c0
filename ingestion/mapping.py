"""Applies one table of a layout: records with their fields, values with item, unit and place.

Belongs here: column → field, column → item, the account of every column. Does not belong here: whether a
value is acceptable (schemas), how bytes became a table (readers), what a unit is worth (seeds).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy
import polars as pl

from ingestion import spans
from ingestion.contracts.numbers import unit_spelling
from ingestion.layouts.fields import FieldSpec, unit_name
from ingestion.layouts.model import TableSpec, ValueSpec
from ingestion.tables import Column, Table
from ingestion.typed import plain, typed_columns

UNCOMPUTED = r"^=[^\"]"
"""A cell that still holds its formula: nobody computed it, so what it is worth is not in the file."""


@dataclass
class Mapped:
    """What one table gives.

    `records`: one row per record: row_number, n_cells, every field of the layout, `problem` (reason code or
    null), `problem_column`. `values`: one row per value cell: the record's fields and row_number,
    column_number, item_code, value_text, unit_text. `n_ignored_cells` counts cells in columns that the
    layout ignores or does not know, by row in `ignored_by_row`.
    """

    records: pl.DataFrame
    values: pl.DataFrame
    unknown_columns: list[Column] = field(default_factory=list)
    net_columns: list[int] = field(default_factory=list)
    ignored_by_row: pl.DataFrame = field(default_factory=pl.DataFrame)


@dataclass(frozen=True)
class Surroundings:
    """What lies outside the table and a layout may still ask for: the path, and cells found by label or pattern."""

    path: str
    labels: dict[tuple[str | None, str], str]
    cells: dict[str, str] = field(default_factory=dict)


def field_columns(spec: TableSpec) -> set[str]:
    origins = [origin for item in spec.fields.values() for origin in item.origins]
    names = {name for origin in origins for name in origin.column_names}
    units = [value.unit for value in spec.values] + [origin.unit for origin in origins if origin.unit]
    return names | {unit.column for unit in units if unit.column}


def missing_columns(table: Table, spec: TableSpec) -> list[str]:
    """Required fields whose column the table does not have, and days whose columns are not complete."""
    fields = [
        "/".join(item.column_names)
        for item in spec.fields.values()
        if item.column_names
        and not (item.optional or item.otherwise)
        and table.column(item.column_names) is None
    ]
    days = [
        f"{1440 // value.slots.minutes} × {value.columns}"
        for value in spec.values
        if value.slots is not None
        and value.slots.named_by == "order"
        and sum(bool(re.fullmatch(value.columns, column.name)) for column in table.columns)
        != 1440 // value.slots.minutes
    ]
    return fields + days


def repeated_headers(table: Table, spec: TableSpec) -> list[Column]:
    """Columns the layout reads whose name stands over more than one: nobody could say which is meant."""
    read = [
        column
        for column in table.columns
        if column.name in field_columns(spec)
        or any(re.fullmatch(value.columns, column.name) for value in spec.values)
    ]
    names = [column.name for column in read]
    return [column for column in read if names.count(column.name) > 1]


def apply(table: Table, spec: TableSpec, around: Surroundings, types: dict[str, pl.DataType]) -> Mapped:
    """Map one table. No row is dropped: a record whose key cannot be read keeps its `problem`.

    `types` are the columns of the target: the fields that a value column may replace.
    """
    records = _records(table, spec, around)
    if spec.ends_at_next:
        records = spans.until_the_next(records)
    values, used = _values(table, spec, records, types)
    net = [value.columns for value in spec.values if value.net]
    net_columns = [
        column.number
        for column in table.columns
        if column.name in used and any(re.fullmatch(pattern, column.name) for pattern in net)
    ]
    used |= {column.name for column in table.columns if column.name in field_columns(spec)}
    ignored, unknown = [], []
    for column in table.columns:
        if column.name in used:
            continue
        if not column.name or any(re.fullmatch(rule.columns, column.name) for rule in spec.ignore_columns):
            ignored.append(column)
        else:
            unknown.append(column)
    aside = [f"c{column.number}" for column in ignored + unknown if not column.is_outside]
    ignored_by_row = table.frame.select(
        "row_number",
        n_ignored=pl.sum_horizontal([pl.col(name).is_not_null() for name in aside]).cast(pl.Int64)
        if aside
        else pl.lit(0, dtype=pl.Int64),
    )
    return Mapped(records, values, unknown, net_columns, ignored_by_row)


def _records(table: Table, spec: TableSpec, around: Surroundings) -> pl.DataFrame:
    cells = [f"c{column.number}" for column in table.columns if not column.is_outside]
    frame = table.frame.select(
        "row_number",
        (
            pl.sum_horizontal([pl.col(name).is_not_null() for name in cells]).cast(pl.Int64)
            if cells
            else pl.lit(0, dtype=pl.Int64)
        ).alias("n_cells"),
        *[
            pl.coalesce([_field(table, origin, around) for origin in item.origins]).alias(f"text_{name}")
            for name, item in spec.fields.items()
        ],
    )
    if table.n_more:
        frame = frame.with_columns(
            n_cells=pl.col("n_cells")
            + pl.col("row_number").replace_strict(dict(table.n_more), default=0, return_dtype=pl.Int64)
        )
    problems = []
    meter = [f"text_{name}" for name in ("building_code", "meter_id", "item_code") if name in spec.fields]
    typed_by_name = {
        column.meta.output_name(): column
        for name, item in spec.fields.items()
        for column in typed_columns(name, item, pl.col(f"text_{name}"), meter)
    }
    frame = frame.with_columns(typed_by_name.values())
    for name, item in spec.fields.items():
        text = pl.col(f"text_{name}")
        if item.unit is not None:
            said = pl.col(unit_name(name))
            frame = frame.join(_said_units(table, name, item), on="row_number", maintain_order="left")
            problems.append(
                pl.when(text.is_not_null() & said.is_null()).then(pl.lit(f"missing_{unit_name(name)}"))
            )
        typed = pl.col("year" if item.kind == "period" else name)
        if item.column_names:
            formula = text.str.contains(UNCOMPUTED)
            problems.append(pl.when(formula).then(pl.lit("formula_without_value")))
        if not item.optional:
            problems.append(pl.when(text.is_null()).then(pl.lit(f"missing_{name}")))
        problems.append(pl.when(text.is_not_null() & typed.is_null()).then(pl.lit(f"bad_{name}")))
    found = pl.coalesce(problems) if problems else pl.lit(None, dtype=pl.String)
    return (
        frame.with_columns(problem=found)
        .with_columns(
            problem_found=pl.coalesce(
                [
                    pl.when(
                        pl.col("problem").is_in(
                            [f"missing_{name}", f"bad_{name}", f"missing_{unit_name(name)}"]
                        )
                        | (
                            (pl.col("problem") == "formula_without_value")
                            & pl.col(f"text_{name}").str.contains(UNCOMPUTED)
                        )
                    ).then(pl.col(f"text_{name}"))
                    for name in spec.fields
                ]
            )
            if spec.fields
            else pl.lit(None, dtype=pl.String)
        )
        .drop([f"text_{name}" for name in spec.fields])
    )


def _field(table: Table, spec: FieldSpec, around: Surroundings) -> pl.Expr:
    """The text of a field for every record, null where it is not given."""
    text: str | None
    if spec.column_names:
        column = table.column(spec.column_names)
        if column is None:
            return pl.lit(None, dtype=pl.String)
        return pl.col(f"c{column.number}").str.strip_chars()
    if spec.constant is not None:
        text = spec.constant
    elif spec.path is not None:
        text = _first_group(spec.path, around.path)
    elif spec.element is not None:
        text = table.elements.get(spec.element)
    elif spec.sheet is not None:
        text = _first_group(spec.sheet, table.sheet or "")
    elif spec.cell is not None:
        text = around.cells.get(spec.cell)
    else:
        text = around.labels.get((spec.on_sheet, spec.label or ""))
    return pl.lit(text, dtype=pl.String)


def _said_units(table: Table, name: str, item: FieldSpec) -> pl.DataFrame:
    """The unit of a measured field by record, as the conversion seed spells it."""
    assert item.unit is not None
    column = table.column(item.column_names)
    if item.unit.column is None:
        texts = [item.unit.constant or (column.unit if column else None)] * table.frame.height
    else:
        there = table.column([item.unit.column])
        texts = table.frame[f"c{there.number}"].to_list() if there else [None] * table.frame.height
    units = pl.Series(unit_name(name), [unit_spelling(text) for text in texts], dtype=pl.String)
    return table.frame.select("row_number", units)


def _first_group(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text)
    return found.group(1) if found else None


def _values(
    table: Table, spec: TableSpec, records: pl.DataFrame, types: dict[str, pl.DataType]
) -> tuple[pl.DataFrame, set[str]]:
    """Value cells of the records whose key is sound, in file order."""
    parts: list[tuple[pl.LazyFrame, list[str]]] = []
    used: set[str] = set()
    taken = field_columns(spec)
    keys = records.filter(pl.col("problem").is_null()).drop("n_cells", "problem", "problem_found")
    wide = keys.join(table.frame, on="row_number", how="inner", maintain_order="left").with_row_index(_AT)
    for value in spec.values:
        pattern = re.compile(value.columns)
        n_matched = 0
        for column in table.columns:
            found = pattern.fullmatch(column.name)
            if found is None or column.name in used or column.name in taken:
                continue
            used.add(column.name)
            text = pl.col(f"c{column.number}")
            given = text.is_not_null() & ~text.is_in(value.nothing) if value.nothing else text.is_not_null()
            said = [
                text.alias("value_text"),
                _unit(table, value, column, found).alias("unit_text"),
                pl.lit(column.number, dtype=pl.Int32).alias("column_number"),
                _item(value, found, keys.columns).alias("item_code"),
            ]
            n_matched += 1
            stages = [said, _replaced(value, found, types)]
            if value.year_offset and ("year" in keys.columns or "year" in _names(stages[-1])):
                stages.append([pl.col("year") + value.year_offset])
            if value.slots is not None:
                stages.append(spans.of_column(value.slots, found, n_matched))
            part = wide.lazy().filter(given).select(_AT, *keys.columns, *said)
            for stage in stages[1:]:
                part = part.with_columns(stage)
            parts.append((part, _names([column for stage in stages for column in stage])))
    if not parts:
        return pl.DataFrame(), used
    frame = _in_file_order(parts, wide.select(_AT, *keys.columns))
    if table.units_by_item:
        stated = pl.col("item_code").replace_strict(table.units_by_item, default=None, return_dtype=pl.String)
        frame = frame.with_columns(unit_text=pl.coalesce("unit_text", stated))
    found_units = frame["unit_text"].unique().drop_nulls().to_list()
    respelled = {text: unit_spelling(text) for text in found_units if unit_spelling(text) != text}
    if respelled:
        frame = frame.with_columns(pl.col("unit_text").replace(respelled))
    return frame.with_columns(number_text=plain(pl.col("value_text"))), used


_AT = "at"
"""Place of a record among those with a sound key."""


def _in_file_order(parts: list[tuple[pl.LazyFrame, list[str]]], keys: pl.DataFrame) -> pl.DataFrame:
    """Value cells of all columns, record by record. Only what differs between columns is carried through the parts."""
    own = {name for _, names in parts for name in names}
    carried = [part.select(_AT, *sorted(own & {*keys.columns, *names})) for part, names in parts]
    # one piece before rows are fetched out of order: from many pieces that takes five times as long
    cells = pl.concat(pl.collect_all(carried), how="diagonal_relaxed").rechunk()
    place = keys["row_number"].cast(pl.Int64)[cells[_AT]] * 2**32 + cells["column_number"]
    cells = cells[numpy.argsort(place.to_numpy(), kind="stable")]
    rest = keys.select([name for name in keys.columns if name not in own])[cells[_AT]]
    return pl.concat([rest.drop(_AT), cells.drop(_AT)], how="horizontal")


def _names(columns: list[pl.Expr]) -> list[str]:
    return [column.meta.output_name() for column in columns]


def _replaced(value: ValueSpec, found: re.Match[str], types: dict[str, pl.DataType]) -> list[pl.Expr]:
    """Fields that hold for one value column: named groups of its pattern, and the texts of `fields`."""
    texts = {name: text for name, text in found.groupdict().items() if text}
    texts |= {name: found.expand(text) for name, text in value.fields.items()}
    return [pl.lit(text).cast(types[name]).alias(name) for name, text in texts.items() if name in types]


def _unit(table: Table, value: ValueSpec, column: Column, found: re.Match[str]) -> pl.Expr:
    if value.unit.fields is not None:
        said = pl.concat_str([pl.col(name).cast(pl.String) for name in value.unit.fields], separator=" ")
        return said.replace(value.unit.lookup or {})
    if value.unit.column is not None:
        unit_column = table.column([value.unit.column])
        return pl.col(f"c{unit_column.number}") if unit_column else pl.lit(None, dtype=pl.String)
    if value.unit.constant is not None:
        return pl.lit(found.expand(value.unit.constant))
    return pl.lit(column.unit, dtype=pl.String)


def _item(value: ValueSpec, found: re.Match[str], fields: list[str]) -> pl.Expr:
    if value.item.startswith("{") and value.item.endswith("}"):
        name = value.item[1:-1]
        item = pl.col(name) if name in fields else pl.lit(None, dtype=pl.String)
    else:
        item = pl.lit(found.expand(value.item), dtype=pl.String)
    if value.lookup is not None:
        item = pl.coalesce(item.replace_strict(value.lookup, default=None, return_dtype=pl.String), item)
    return item
