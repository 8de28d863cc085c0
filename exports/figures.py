"""Which figure is meant: `table.column` and the key of its row, found in a release.

Belongs here: the declarations of figures (`figure_origin`), finding one row by its key, and what to say when there is
none. What a figure is made of belongs to explain.py.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exports.messages import ExportError
from exports.quoting import quoted_name, quoted_names, quoted_text

if TYPE_CHECKING:
    import duckdb

# keys that a person leaves out, and what stands for them; None: whichever there is
UNSAID: Mapping[str, str | None] = {
    "institution_id_scheme": None,
    "population": "reported",
    "inventory_scope": "district",
    "reported_unit": None,
}
# columns that say where a number stands
PLACE = ("file_id", "path", "sheet", "cell", "row_number", "column_number", "value_text", "unit_text")
_MAX_SHOWN = 5


class FigureError(ExportError):
    """No such figure in this release."""


@dataclass(frozen=True)
class Origin:
    """One row of figure_origin: what a column is made of."""

    table: str
    column: str
    keys: tuple[str, ...]
    kind: str
    part_table: str | None
    part_column: str | None
    times: str | None
    added: str | None
    deducted: str | None
    member_where: str | None
    compared_where: str | None
    numerator: str | None
    denominator: str | None
    times_number: int | None
    method_name: str | None
    method_zh: str | None
    method_en: str | None
    inputs: tuple[str, ...]


Origins = Mapping[tuple[str, str], Origin]


def read_origins(con: duckdb.DuckDBPyConnection) -> Origins:
    """Every declaration of the release, by table and column."""
    found = rows(
        con,
        'select table_name as "table", column_name as "column", key_columns as keys, origin_kind as kind, part_table, '
        "part_column, times_column as times, added_where as added, deducted_where as deducted, member_where, compared_where, numerator, denominator, "
        "times_number, method_name, method_zh, method_en, inputs from published.figure_origin",
    )
    declared = [
        Origin(**{**row, "keys": _listed(row["keys"]), "inputs": _listed(row["inputs"])}) for row in found
    ]
    return {(origin.table, origin.column): origin for origin in declared}


def origin_of(origins: Origins, name: str) -> Origin:
    """The declaration behind `table.column`; an error that names the nearest ones."""
    table, _, column = name.partition(".")
    if found := origins.get((table, column)):
        return found
    tables = sorted({known for known, _ in origins})
    if table not in tables:
        raise FigureError(
            f"发布物中没有表 {table or '（空）'} 的指标。写作 表.列，例如 institution_year.emissions_total_tco2。"
            f"有指标的表：{'、'.join(tables)}。",
            f"the release has no figures of a table {table or '(empty)'}. Write table.column, such as "
            f"institution_year.emissions_total_tco2. Tables with figures: {', '.join(tables)}.",
        )
    columns = [known for of, known in sorted(origins) if of == table]
    near = difflib.get_close_matches(column, columns, _MAX_SHOWN, 0.4) or columns[:_MAX_SHOWN]
    raise FigureError(
        f"表 {table} 中没有指标列 {column or '（空）'}。相近的列：{'、'.join(near)}。",
        f"table {table} has no figure column {column or '(empty)'}. Nearest: {', '.join(near)}.",
    )


def find_row(con: duckdb.DuckDBPyConnection, origin: Origin, given: Sequence[str]) -> dict[str, Any]:
    """The one row that the given key values name, in the order of the key; `name=value` names one by hand.

    Keys that a person need not say (`UNSAID`) may be left out. Raises FigureError when no row or more than one fits.
    """
    wanted = _wanted(origin, given)
    where = " and ".join(f"{_comparable(key, value)} = ?" for key, value in wanted.items()) or "true"
    values = [int(value) if _is_plain_number(key, value) else value for key, value in wanted.items()]
    # of a wide table only what is asked for: planning eighty columns costs more than reading one row
    needed = [*origin.keys, origin.column, origin.numerator, origin.denominator, *origin.inputs, *PLACE]
    listed = ", ".join(quoted_text(name) for name in dict.fromkeys(needed) if name)
    found = rows(
        con,
        f"select columns(lambda name: name in ({listed})) from published.{quoted_name(origin.table)} "
        f"where {where} limit 20",
        *values,
    )
    if len(found) == 1:
        return found[0]
    said = ", ".join(f"{key}={value}" for key, value in wanted.items())
    if found:
        fitting = "; ".join(
            " ".join(f"{key}={row[key]}" for key in origin.keys) for row in found[:_MAX_SHOWN]
        )
        raise FigureError(
            f"{origin.table} 中有 {len(found)} 行符合 {said}：{fitting}。请再用 列=值 说明。",
            f"{len(found)} rows of {origin.table} fit {said}: {fitting}. Say more, as column=value.",
        )
    near = _nearest(con, origin, wanted)
    raise FigureError(
        f"{origin.table} 中没有 {said} 这一行。相近的：{'；'.join(near) or '无'}。",
        f"{origin.table} has no row {said}. Nearest: {'; '.join(near) or 'none'}.",
    )


def rows(con: duckdb.DuckDBPyConnection, sql: str, *values: object) -> list[dict[str, Any]]:
    cursor = con.execute(sql, list(values))
    names = [str(column[0]) for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _is_plain_number(key: str, value: str) -> bool:
    return key.endswith(("year", "_number")) and value.isascii() and value.isdigit() and len(value) < 10


def _comparable(key: str, value: str) -> str:
    """Compared as it is stored, so that what lies elsewhere is not read; a text that is no number fits none."""
    is_number = key.endswith(("year", "_number"))
    return (
        f"{quoted_name(key)}::varchar" if is_number and not _is_plain_number(key, value) else quoted_name(key)
    )


def _wanted(origin: Origin, given: Sequence[str]) -> dict[str, str]:
    named = dict(
        text.split("=", 1) for text in given if text.partition("=")[0] in origin.keys and "=" in text
    )
    plain = [text for text in given if not (text.partition("=")[0] in origin.keys and "=" in text)]
    open_keys = [key for key in origin.keys if key not in named]
    if len(plain) < len(open_keys):
        left_out = [key for key in open_keys if key in UNSAID]
        needed = [key for key in open_keys if key not in UNSAID]
        # what was said beyond the needed keys says the first of the others
        open_keys = [key for key in open_keys if key in needed or key in left_out[: len(plain) - len(needed)]]
        named |= {key: said for key in left_out if key not in open_keys and (said := UNSAID[key]) is not None}
    if len(plain) != len(open_keys):
        keys = " ".join(f"<{key}>" for key in origin.keys if key not in UNSAID)
        raise FigureError(
            f"{origin.table} 的一行由 {'、'.join(origin.keys)} 确定，给了 {len(given)} 个值。"
            f"写法：tancang explain {origin.table}.{origin.column} {keys}",
            f"a row of {origin.table} is named by {', '.join(origin.keys)}; {len(given)} values were given. "
            f"Write: tancang explain {origin.table}.{origin.column} {keys}",
        )
    by_key = dict(zip(open_keys, plain, strict=True)) | named
    return {key: by_key[key] for key in origin.keys if key in by_key}


def _nearest(con: duckdb.DuckDBPyConnection, origin: Origin, wanted: Mapping[str, str]) -> list[str]:
    """Rows whose keys read most like the ones asked for."""
    keys = list(wanted)
    likeness = " + ".join(
        f"jaro_winkler_similarity(coalesce({quoted_name(key)}::varchar, ''), ?)" for key in keys
    )
    found = con.execute(
        f"select distinct {quoted_names(keys)}, {likeness} as likeness from published.{quoted_name(origin.table)} "
        f"order by likeness desc, {quoted_names(keys)} limit 3",
        list(wanted.values()),
    ).fetchall()
    return [" ".join(f"{key}={value}" for key, value in zip(keys, row, strict=False)) for row in found]


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(text.split(", ")) if text else ()
