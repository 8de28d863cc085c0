"""A small candidate warehouse and its dbt manifest, made by hand, for the tests of exports/.

Here belongs what several of those tests need; nothing here depends on the dbt project.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from exports.current import plan_release
from exports.dictionary import PublishedTable, load_dictionary
from exports.manifest import BuildFacts, Declaration, InputFile, VerdictFacts
from exports.release import PublishedRelease, publish

AS_OF = date(2026, 11, 20)
PASS = VerdictFacts(outcome="pass", n_fail=0, n_warn=2, digest="ab" * 32)

Column = tuple[str, str, str | None, str, str]
REGION: Column = (
    "region_code",
    "varchar",
    None,
    "Administrative division code (行政区划代码)",
    "行政区划代码",
)
YEAR: Column = ("year", "integer", None, "Calendar year in local time (年度)", "年度")

TABLES: dict[str, dict[str, Any]] = {
    "institution_year": {
        "schema": "marts", "name_zh": "机构年度", "grain": ["institution_id", "year"],
        "description": "One row per institution and year (机构年度).",
        "columns": [
            REGION,
            ("institution_id", "varchar", None, "Unified social credit code (统一社会信用代码)", "机构代码"),
            ("institution_name", "text", None, "Name as reported; 'quotes' stay (机构名称)", "机构名称"),
            YEAR,
            ("floor_area_m2", "decimal(18, 4)", "m2", "Floor area (建筑面积)", "建筑面积"),
            ("electricity_kwh", "decimal(38,12)", "kWh", "Electricity bought (用电量)", "用电量"),
            ("energy_per_area_primary_kgce_m2", "double", "kgce/m2", "Energy per area", "单位面积能耗等价"),
            ("is_registered", "boolean", "none", "In the register (是否在册)", "是否在册"),
            ("year_starts_on", "date", None, "First day of the year (年度起始日)", "年度起始日"),
        ],
    },
    "region_year": {
        "schema": "marts", "name_zh": "区域年度", "grain": ["region_code", "year", "population"],
        "description": "Sums and intensities of a region (区域年度).",
        "columns": [
            REGION, YEAR,
            ("population", "varchar", None, "Population of institutions (统计口径)", "统计口径"),
            ("n_institutions", "bigint", None, "Institutions counted (机构数)", "机构数"),
            ("electricity_kwh", "decimal(38,12)", "kWh", "Electricity bought (用电量)", "用电量"),
            ("energy_per_area_primary_kgce_m2", "double", "kgce/m2", "Energy per area", "单位面积能耗等价"),
            ("energy_per_area_equivalent_kgce_m2", "double", "kgce/m2", "Energy per area", "单位面积能耗当量"),
            ("energy_per_capita_primary_kgce_person", "double", "kgce/person", "Per head", "人均能耗等价"),
            ("energy_per_capita_equivalent_kgce_person", "double", "kgce/person", "Per head", "人均能耗当量"),
            ("water_per_capita_m3_person", "double", "m3/person", "Water per head (人均用水)", "人均用水量"),
            ("energy_per_area_primary_change_pct", "double", "%", "Change", "单位面积能耗同比等价"),
            ("energy_per_area_equivalent_change_pct", "double", "%", "Change", "单位面积能耗同比当量"),
            ("energy_per_capita_primary_change_pct", "double", "%", "Change", "人均能耗同比等价"),
            ("energy_per_capita_equivalent_change_pct", "double", "%", "Change", "人均能耗同比当量"),
            ("water_per_capita_change_pct", "double", "%", "Change", "人均用水同比"),
        ],
    },
    "factor_used": {
        "schema": "marts", "name_zh": "所用因子", "grain": ["factor_id"],
        "description": "Factor rows in use (所用因子).",
        "columns": [
            ("factor_id", "varchar", None, "Factor row (因子编号)", "因子编号"),
            ("factor_value", "decimal(18,8)", None, "Value in factor_unit (因子值)", "因子值"),
        ],
    },
    "release": {
        "schema": "gate", "name_zh": "发布", "grain": ["release_id"],
        "description": "This release (发布).",
        "columns": [
            ("release_id", "varchar", None, "Release (发布编号)", "发布编号"),
            ("parent_release_id", "varchar", None, "Release before it (上一版)", "上一版"),
        ],
    },
}  # fmt: skip


def dbt_manifest(tables: dict[str, dict[str, Any]] | None = None) -> dict[str, Any]:
    """What dbt 1.11 writes, cut down to what exports reads: meta lies under config."""
    nodes: dict[str, Any] = {
        "model.tancang.core_activity": {
            "resource_type": "model", "name": "core_activity", "alias": "core_activity", "schema": "core",
            "config": {"meta": {}}, "columns": {}, "description": "",
        },
        "test.tancang.unique": {"resource_type": "test", "name": "unique", "config": {"meta": {"is_published": True}}},
    }  # fmt: skip
    sources: dict[str, Any] = {}
    for name, table in (tables or TABLES).items():
        node = {
            "name": name,
            "schema": table["schema"],
            "description": table["description"],
            "config": {"meta": {"is_published": True, "name_zh": table["name_zh"], "grain": table["grain"]}},
            "columns": {
                column: {
                    "name": column,
                    "data_type": data_type,
                    "description": description,
                    "config": {"meta": {"unit": unit, "name_zh": name_zh}},
                }
                for column, data_type, unit, description, name_zh in table["columns"]
            },
        }
        if table["schema"] == "gate":
            sources[f"source.tancang.gate.{name}"] = {**node, "resource_type": "source", "identifier": name}
        else:
            nodes[f"model.tancang.{name}"] = {**node, "resource_type": "model", "alias": name}
    return {"nodes": nodes, "sources": sources}


def dictionary(folder: Path) -> tuple[PublishedTable, ...]:
    path = folder / "manifest.json"
    path.write_text(json.dumps(dbt_manifest(), ensure_ascii=False), encoding="utf-8")
    return load_dictionary(path)


def fill(
    con: duckdb.DuckDBPyConnection, version: int = 0, n_institutions: int = 40, seed: int | None = None
) -> None:
    """The candidates of one build; `version` moves every figure, `seed` shuffles the order of insertion only."""
    con.execute("create schema if not exists marts; create schema if not exists gate")
    for name, table in TABLES.items():
        columns = ", ".join(f'"{column}" {data_type}' for column, data_type, *_ in table["columns"])
        con.execute(f"create or replace table {table['schema']}.{name} ({columns})")
    rows = [
        (
            f"3101{18 + number % 3}00{number % 5}",
            f"ID{number:04d}",
            f"第{number}机构's",
            year,
            f"{1000 + number}.25" if number % 7 else None,
            f"{number * 1000 + version}.000000000001",
            number / 7.0,
            number % 2 == 0,
            date(year, 1, 1),
        )
        for number in range(n_institutions)
        for year in (2020, 2021)
    ]
    regions = [
        ("310118", 2020, "reported", 40, str(version), 12.48, 8.0, 155.3, 100.0, 14.9, *[None] * 5),
        ("310118", 2021, "reported", 40, str(version), 11.555, 7.125, 135.1, 90.0, 14.449,
         -7.4049, -1.5, -13.025, -2.0, -2.8351),
        ("310118", 2021, "like_for_like", 38, str(version), 1.0, 1.0, 1.0, 1.0, 1.0, *[0.0] * 5),
    ]  # fmt: skip
    factors = [(f"F{number}", "0.57030000") for number in range(5)]
    for name, content in (
        ("marts.institution_year", rows),
        ("marts.region_year", regions),
        ("marts.factor_used", factors),
    ):
        if seed is not None:
            random.Random(seed).shuffle(content)
        values_by_place = {
            f"c{number}": list(values) for number, values in enumerate(zip(*content, strict=True))
        }
        con.execute(
            f"insert into {name} select {', '.join(f'unnest(${key})' for key in values_by_place)}",
            values_by_place,
        )


def fingerprint(version: int) -> str:
    return hashlib.sha256(str(version).encode()).hexdigest()


def publish_version(
    home: Path,
    tables: tuple[PublishedTable, ...],
    version: int,
    confirm: Callable[[], object] = lambda: None,
    on_step: Callable[[str], object] = lambda step: None,
    extras: dict[str, Path] | None = None,
    n_institutions: int = 40,
) -> PublishedRelease:
    """One whole night in small: candidates in a fresh warehouse, the release row, publish."""
    home.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        fill(con, version, n_institutions)
        plan = plan_release(home, AS_OF, fingerprint(version))
        con.execute("insert into gate.release values (?, ?)", [plan.release_id, plan.parent_release_id])
        return publish(
            con,
            home,
            tables,
            BuildFacts(
                as_of=AS_OF, code_version="test", fingerprint=fingerprint(version), build_id=f"b{version}"
            ),
            [InputFile(path="direct_report/a.csv", sha256="0" * 64, size_bytes=10, received_on=AS_OF)],
            [Declaration(name="profile.yml", sha256="1" * 64)],
            PASS,
            extras or {},
            confirm,
            on_step,
        )
