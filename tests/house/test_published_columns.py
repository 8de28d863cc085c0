"""Every published table and column is described once, in English with the Chinese term, with its unit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from exports.dictionary import PublishedTable, load_dictionary
from orchestration.dbt_build import current_manifest

_NUMERIC = re.compile(r"DECIMAL|DOUBLE|INTEGER|BIGINT|HUGEINT", re.I)
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_UNITLESS = re.compile(r"^(n_.+|.+_share|.+_pct|year|month|period_index|.+_year|.+_number|.+_code|months_reported|line)$")
_SUFFIX = {
    "kWh": "kwh",
    "m3": "m3",
    "t": "t",
    "L": "l",
    "kg": "kg",
    "GJ": "gj",
    "kgce": "kgce",
    "tCO2": "tco2",
    "m2": "m2",
    "person": "persons",
    "CNY": "cny",
    "kgce/m2": "kgce_m2",
    "kgce/person": "kgce_person",
    "m3/person": "m3_person",
    "kgCO2/m2": "kgco2_m2",
    "tCO2/kWh": "tco2_per_kwh",
    "tCO2/unit": "tco2_per_unit",
    "kgce/unit": "kgce_per_unit",
    "tCO2e": "tco2e",
    "kgCO2e/kg": "kgco2e_kg",
    "1/m": "per_m",
    "%": "pct",
    "1": "share",
}


@pytest.fixture(scope="module")
def tables() -> tuple[PublishedTable, ...]:
    return load_dictionary(Path(current_manifest()))


def test_the_tables_of_the_interface_are_there(tables: tuple[PublishedTable, ...]) -> None:
    assert {table.name for table in tables} >= {
        "institution_year",
        "building_year",
        "region_year",
        "row_ledger",
        "quality_result",
        "factor_used",
        "release",
    }


def test_tables_and_columns_are_described_in_both_languages(tables: tuple[PublishedTable, ...]) -> None:
    for table in tables:
        assert _CHINESE.search(table.description + table.name_zh), table.name
        assert table.grain, table.name
        for column in table.columns:
            assert _CHINESE.search(column.description), f"{table.name}.{column.name}"
            assert re.search(r"[A-Za-z]{3}", column.description), f"{table.name}.{column.name}"
            assert column.name_zh, f"{table.name}.{column.name}"


def test_the_same_name_means_the_same_thing_everywhere(tables: tuple[PublishedTable, ...]) -> None:
    seen: dict[str, tuple[str, str, str | None, str]] = {}
    for table in tables:
        for column in table.columns:
            facts = (column.data_type.lower(), column.description, column.unit, table.name)
            first = seen.setdefault(column.name, facts)
            assert facts[:3] == first[:3], f"{column.name}: {table.name} against {first[3]}"


def test_a_numeric_column_ends_in_its_unit(tables: tuple[PublishedTable, ...]) -> None:
    for table in tables:
        for column in table.columns:
            if not _NUMERIC.search(column.data_type) or _UNITLESS.match(column.name):
                continue
            if column.name.startswith("factor_value"):  # its unit is a column of the row: factor_unit
                continue
            if column.name.endswith("_amount") and "unit" in {item.name for item in table.columns}:
                continue
            assert column.unit in _SUFFIX, f"{table.name}.{column.name}: unit {column.unit}"
            assert column.name.endswith(_SUFFIX[column.unit or ""]), (
                f"{table.name}.{column.name}: unit {column.unit}"
            )


# what a figure is measured in; what one unit is worth, and prices, are no figures of somebody's use
_FIGURES = {
    "kWh",
    "m3",
    "t",
    "L",
    "kg",
    "GJ",
    "kgce",
    "tCO2",
    "tCO2e",
    "m2",
    "person",
    "CNY",
    "kgce/m2",
    "kgce/person",
}
_FIGURES |= {"m3/person", "kgCO2/m2"}


def test_every_figure_says_what_it_is_made_of(tables: tuple[PublishedTable, ...]) -> None:
    """One declaration beside the column (docs/explain.md), of a table and columns that are published."""
    manifest = json.loads(Path(current_manifest()).read_text(encoding="utf-8"))
    nodes = [*manifest["nodes"].values(), *manifest["sources"].values()]
    known = {table.name: set(table.column_names) for table in tables}
    for node in nodes:
        if node["name"] not in known or node["resource_type"] not in ("model", "source"):
            continue
        for name, column in node["columns"].items():
            meta = column["config"]["meta"]
            declared = [kind for kind in ("parts", "ratio", "method") if kind in meta]
            if meta.get("unit") in _FIGURES:
                assert len(declared) == 1, f"{node['name']}.{name}: {declared or 'no parts, ratio or method'}"
            for kind in declared:
                _check_names(f"{node['name']}.{name}", node["name"], meta[kind], known)


def _check_names(where: str, table: str, made_of: dict[str, Any], known: dict[str, set[str]]) -> None:
    given = [made_of[side] for side in ("of", "over") if side in made_of] + made_of.get("inputs", [])
    for text in given:
        of, _, column = text.rpartition(".")
        assert column in known[of or table] or column in known, f"{where}: {text}"
    if isinstance(made_of.get("times"), str):
        assert made_of["times"] in known[made_of["of"].partition(".")[0]], f"{where}: {made_of['times']}"


def torn_between_bases(tables: Iterable[PublishedTable]) -> list[str]:
    """Tables that rank energy, or hold it against targets, whose groups are not those of one basis."""
    return [
        table.name
        for table in tables
        if any(re.search(r"(^|_)(rank|target|quota)(_|$)", column.name) for column in table.columns)
        and any(re.search(r"kgce|tce|energy|coal|(^|_)unit$", column.name) for column in table.columns)
        and "coal_basis" not in table.grain
    ]


def test_no_ranking_or_target_compares_two_bases(tables: tuple[PublishedTable, ...]) -> None:
    assert torn_between_bases(tables) == []
    (change,) = [table for table in tables if table.name == "emissions_change"]
    ranked = change.columns[0].model_copy(update={"name": "energy_per_area_rank"})
    ranking = change.model_copy(update={"name": "ranking", "columns": (*change.columns, ranked)})
    assert torn_between_bases([ranking]) == ["ranking"]
    by_basis = ranking.model_copy(update={"grain": (*ranking.grain, "coal_basis")})
    assert torn_between_bases([by_basis]) == []


def test_chinese_column_names_are_unique_in_a_table(tables: tuple[PublishedTable, ...]) -> None:
    for table in tables:
        names = [column.name_zh for column in table.columns]
        assert len(names) == len(set(names)), table.name
