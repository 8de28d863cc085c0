"""Which column expectations a published table must meet, read from dbt's manifest.

Here belongs the derivation only, without Great Expectations: a table's YAML is the one declaration, and
this module turns its grain, constraints, tests and column meta into plain specifications. checkpoint.py
runs them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from quality.candidate import CANDIDATE_SCHEMA
from quality.messages import QualityError

Kind = Literal["columns", "not_null", "unique", "between", "in_set", "regex"]

# Amounts of these units are quantities of something that exists: below zero they are a mistake. A column
# that may be
# negative says so with `meta: {min: null}`; differences and changes are left alone.
AMOUNT_UNITS = frozenset(
    {"kWh", "m3", "t", "L", "kg", "GJ", "kgce", "tCO2", "kgCO2", "m2", "person", "CNY"}
    | {"kgce/m2", "kgce/person", "m3/person", "kgCO2/m2"}
)
_SIGNED = ("change", "difference")
_UNSET: Any = object()


class ManifestError(QualityError):
    """dbt's manifest.json is missing or does not describe the candidates."""


@dataclass(frozen=True)
class Expectation:
    """One sentence about a table that Great Expectations can test."""

    kind: Kind
    columns: tuple[str, ...]
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{'+'.join(self.columns)} {self.kind}" if self.kind != "columns" else "columns"


@dataclass(frozen=True)
class CandidateTable:
    """A published table as its YAML declares it."""

    name: str
    columns: tuple[str, ...]
    grain: tuple[str, ...]
    expectations: tuple[Expectation, ...]


def read_candidate_tables(manifest_path: Path) -> list[CandidateTable]:
    """Every published table of schema marts, whoever writes it, in order of name."""
    try:
        manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
        nodes = [*manifest["nodes"].values(), *manifest.get("sources", {}).values()]
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        raise ManifestError(
            f"dbt 的 {manifest_path.name} 无法读取；请先运行 dbt。",
            f"dbt's {manifest_path.name} cannot be read; run dbt first.",
        ) from error
    models = [
        node
        for node in nodes
        if node["resource_type"] in ("model", "source")
        and node["schema"] == CANDIDATE_SCHEMA
        and _meta(node).get("is_published")
    ]
    if not models:
        raise ManifestError(
            f"{manifest_path.name} 中没有标记为发布（is_published）的表。",
            f"{manifest_path.name} declares no published table (meta.is_published).",
        )
    tests = [node for node in nodes if node["resource_type"] == "test"]
    return sorted((_table(model, tests) for model in models), key=lambda table: table.name)


def _table(model: Mapping[str, Any], tests: Iterable[Mapping[str, Any]]) -> CandidateTable:
    own_tests = [test for test in tests if test.get("attached_node") == model["unique_id"]]
    columns = tuple(model["columns"])
    grain = tuple(_meta(model).get("grain") or ())
    found = [Expectation("columns", (), {"column_list": list(columns)})]
    if grain:
        found.append(Expectation("unique", grain))
    for name, column in model["columns"].items():
        found.extend(
            _column(name, column, [test for test in own_tests if test.get("column_name") == name], grain)
        )
    return CandidateTable(model.get("alias") or model["name"], columns, grain, tuple(found))


def _column(
    name: str, column: Mapping[str, Any], tests: Iterable[Mapping[str, Any]], grain: tuple[str, ...]
) -> Iterable[Expectation]:
    meta = _meta(column)
    constraints = {constraint["type"] for constraint in column.get("constraints") or ()}
    accepted = meta.get("accepted_values")
    for test in tests:
        described = test.get("test_metadata") or {}
        constraints.add(described.get("name", ""))
        if described.get("name") == "accepted_values" and accepted is None:
            accepted = described["kwargs"].get("values")
    if "not_null" in constraints or "primary_key" in constraints or name in grain:
        yield Expectation("not_null", (name,))
    if accepted:
        yield Expectation("in_set", (name,), {"value_set": list(accepted)})
    if meta.get("pattern"):
        yield Expectation("regex", (name,), {"regex": str(meta["pattern"])})
    low, high = _range(name, meta)
    if low is not None or high is not None:
        yield Expectation("between", (name,), {"min_value": low, "max_value": high})


def _range(name: str, meta: Mapping[str, Any]) -> tuple[Any, Any]:
    low, high = meta.get("min", _UNSET), meta.get("max", _UNSET)
    is_signed = any(word in name for word in _SIGNED)
    if low is _UNSET:
        amount = meta.get("unit") in AMOUNT_UNITS or name.startswith("n_") or name.endswith("_share")
        low = 0 if amount and not is_signed else None
    if high is _UNSET:
        high = 1 if name.endswith("_share") and not is_signed else None
    return low, high


def _meta(declared: Mapping[str, Any]) -> dict[str, Any]:
    # dbt keeps meta of a column or model in one of two places, by version
    return {**(declared.get("meta") or {}), **((declared.get("config") or {}).get("meta") or {})}
