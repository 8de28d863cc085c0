"""The published tables as dbt's manifest declares them: the one place that everything else is derived from.

Here belongs reading and checking the declaration. Writing tables, comments or field metadata from it does
not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from exports.messages import ExportError
from exports.quoting import quoted_name

_HAN = re.compile(r"[一-鿿]")
_ALIASES = {
    "TEXT": "VARCHAR", "STRING": "VARCHAR", "CHAR": "VARCHAR", "INT": "INTEGER", "INT4": "INTEGER",
    "INT8": "BIGINT", "LONG": "BIGINT", "BOOL": "BOOLEAN", "LOGICAL": "BOOLEAN", "FLOAT8": "DOUBLE",
    "DOUBLE PRECISION": "DOUBLE", "DATETIME": "TIMESTAMP", "NUMERIC": "DECIMAL",
}  # fmt: skip


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PublishedColumn(_Strict):
    """One column as people read it: type, unit, English description with the Chinese term, Chinese name."""

    name: str
    data_type: str
    description: str
    unit: str | None
    name_zh: str

    @property
    def comment(self) -> str:
        return _comment(self.description, self.name_zh, self.unit)


class PublishedTable(_Strict):
    """One table of the contract; `schema_name` and `relation_name` say where its candidate lies."""

    name: str
    schema_name: str
    relation_name: str
    kind: Literal["model", "source"]
    description: str
    name_zh: str
    grain: tuple[str, ...]
    columns: tuple[PublishedColumn, ...]

    @property
    def comment(self) -> str:
        return _comment(self.description, self.name_zh, None)

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def candidate(self) -> str:
        """The candidate in the warehouse, quoted."""
        return f"{quoted_name(self.schema_name)}.{quoted_name(self.relation_name)}"

    @property
    def is_partitioned(self) -> bool:
        """By region and year, where the table has both."""
        return {"region_code", "year"} <= set(self.column_names)


def load_dictionary(manifest_path: Path) -> tuple[PublishedTable, ...]:
    """All published tables in contract order: models by name, then sources by name.

    Raises ExportError that names every gap at once: no description, no Chinese name, no type, a grain that is
    missing or names an unknown column, a name used twice.
    """
    try:
        manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ExportError(
            f"无法读取 dbt 清单 {manifest_path}（{error}）。请先运行 dbt parse 或重跑当夜任务。",
            f"cannot read dbt's manifest {manifest_path} ({error}). Run dbt parse, or the night again.",
        ) from error
    problems: list[str] = []
    tables = [
        table
        for section, kind in (("nodes", "model"), ("sources", "source"))
        for node in manifest.get(section, {}).values()
        if node.get("resource_type") == kind
        and _meta(node).get("is_published") is True
        and (table := _table(node, kind, problems)) is not None
    ]
    tables.sort(key=lambda table: (table.kind, table.name))
    problems += _doubles("table", [table.name for table in tables])
    problems += _doubles("table name_zh", [table.name_zh for table in tables])
    if not tables and not problems:
        problems.append("no table with meta is_published: true")
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise ExportError(
            f"发布表的声明（dbt YAML）不完整，请补全：\n{listed}",
            f"the declaration of the published tables (dbt YAML) has gaps, please mend:\n{listed}",
        )
    return tuple(tables)


def canonical_type(data_type: str) -> str:
    """A type as DuckDB prints it: upper case, no blanks inside brackets, aliases resolved."""
    text = re.sub(r"\s+", " ", data_type.strip().upper())
    head, bracket, rest = text.partition("(")
    head = _ALIASES.get(head.strip(), head.strip())
    if head == "VARCHAR":
        return head
    return head + bracket + rest.replace(" ", "")


def _meta(node: Mapping[str, Any]) -> dict[str, Any]:
    """dbt 1.11 keeps meta under config; older manifests beside it. The config wins."""
    return {**(node.get("meta") or {}), **((node.get("config") or {}).get("meta") or {})}


def _table(node: Mapping[str, Any], kind: str, problems: list[str]) -> PublishedTable | None:
    name = str(node.get("alias") or node.get("name"))
    meta = _meta(node)
    found: list[str] = []
    columns = [_column(name, column, found) for column in (node.get("columns") or {}).values()]
    names = [column.name for column in columns]
    grain = [str(key) for key in meta.get("grain") or []]
    description = _one_line(node.get("description"))
    if not columns:
        found.append(f"{name}: no columns")
    if not description:
        found.append(f"{name}: no description")
    if not meta.get("name_zh"):
        found.append(f"{name}: no meta name_zh")
    if not grain:
        found.append(f"{name}: no meta grain")
    found += [f"{name}: grain names unknown column {key}" for key in grain if key not in names]
    found += _doubles(f"{name}: column", names)
    found += _doubles(f"{name}: column name_zh", [column.name_zh for column in columns])
    if found:
        problems += found
        return None
    return PublishedTable(
        name=name,
        schema_name=str(node["schema"]),
        relation_name=str(node.get("alias") or node.get("identifier") or name),
        kind="model" if kind == "model" else "source",
        description=description,
        name_zh=str(meta["name_zh"]),
        grain=tuple(grain),
        columns=tuple(columns),
    )


def _column(table: str, column: Mapping[str, Any], problems: list[str]) -> PublishedColumn:
    name, meta = str(column.get("name")), _meta(column)
    data_type, description = column.get("data_type"), _one_line(column.get("description"))
    if not data_type:
        problems.append(f"{table}.{name}: no data_type")
    if not description:
        problems.append(f"{table}.{name}: no description")
    if not meta.get("name_zh"):
        problems.append(f"{table}.{name}: no meta name_zh")
    unit = meta.get("unit")
    return PublishedColumn(
        name=name,
        data_type=canonical_type(str(data_type or "")),
        description=description,
        unit=None if unit is None or str(unit).lower() in ("", "none") else str(unit),
        name_zh=str(meta.get("name_zh") or name),
    )


def _one_line(text: object) -> str:
    return re.sub(r"\s+", " ", str(text or "")).strip()


def _comment(description: str, name_zh: str, unit: str | None) -> str:
    text = description if _HAN.search(description) else f"{description} ({name_zh})"
    return f"{text} [{unit}]" if unit else text


def _doubles(what: str, names: Iterable[str]) -> list[str]:
    """Names that differ by case only are the same name to DuckDB and to half the file systems."""
    seen: set[str] = set()
    doubles = []
    for name in names:
        if name.casefold() in seen:
            doubles.append(f"{what} {name} stands twice")
        seen.add(name.casefold())
    return doubles
