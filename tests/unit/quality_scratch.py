"""Small warehouses and rules for the tests of quality/: no file of the product's own data is needed here."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import duckdb

from quality.catalogue import Catalogue, Rule
from quality.waivers import Waiver

AS_OF = dt.date(2022, 3, 1)
COLUMNS = (
    "name as row_key, null as path, null as sheet, null as cell, null as line, "
    "amount as found, null as expected, false as is_mended"
)


def warehouse(path: Path | str = ":memory:", build_id: str = "b1") -> duckdb.DuckDBPyConnection:
    """A build of one mart with eight institutions, amounts 0 to 7."""
    con = duckdb.connect(str(path))
    con.execute("create schema raw; create schema marts; create schema gate")
    con.execute("create table raw.build as select ? as build_id, ? as as_of", [build_id, AS_OF])
    con.execute("create table raw.profile (key varchar, value varchar)")
    con.execute("insert into raw.profile values ('upper_limit', '5')")
    con.execute(
        "create table raw.quarantine (institution_id varchar, item_code varchar, period varchar, "
        "path varchar, sheet varchar, cell varchar, row_number integer, reason_code varchar, found varchar, "
        "expected_zh varchar, expected_en varchar)"
    )
    con.execute(
        "create table marts.thing as "
        "select 'k' || range as name, 2020::integer as year, range::decimal(18, 4) as amount from range(8)"
    )
    return con


def rule(rule_id: str, **fields: Any) -> Rule:
    given = {
        "severity": "fail", "scope": "marts.thing", "tool": "sql", "since": "2026-11-20",
        "text_zh": "测试用的规则", "text_en": "a rule of the tests", **fields,
    }  # fmt: skip
    return Rule.model_validate({"id": rule_id, **given})


def above(limit: int, rule_id: str = "above", **fields: Any) -> Rule:
    """Fails on every amount above the limit."""
    return rule(
        rule_id,
        failing=f"select {COLUMNS} from marts.thing where amount > $limit",
        params={"limit": limit},
        **fields,
    )


def catalogue(*rules: Rule) -> Catalogue:
    return Catalogue(rules=tuple(sorted(rules, key=lambda one: one.id)))


def waiver(rule_id: str = "above", **fields: Any) -> Waiver:
    given = {
        "rule": rule_id, "reason": "meter was replaced", "evidence": "protocol-12.pdf", "owner": "Li Lei",
        "approved_by": "Han Meimei", "expires_on": dt.date(2022, 6, 30), **fields,
    }  # fmt: skip
    return Waiver.model_validate(given)


def column(name: str, **declared: Any) -> dict[str, Any]:
    return {"name": name, "data_type": "varchar", "meta": {}, "constraints": [], **declared}


def manifest(folder: Path, *models: dict[str, Any], tests: tuple[dict[str, Any], ...] = ()) -> Path:
    """A manifest.json as dbt writes it, cut down to what the checkpoint reads."""
    path = folder / "manifest.json"
    nodes = {node["unique_id"]: node for node in (*models, *tests)}
    path.write_text(json.dumps({"nodes": nodes}), encoding="utf-8")
    return path


def model(name: str, grain: list[str], *columns: dict[str, Any]) -> dict[str, Any]:
    return {
        "unique_id": f"model.tancang.{name}", "resource_type": "model", "schema": "marts", "name": name,
        "alias": name, "config": {"meta": {"is_published": True, "grain": grain}},
        "columns": {one["name"]: one for one in columns},
    }  # fmt: skip


def dbt_test(of: str, column_name: str, kind: str, **arguments: Any) -> dict[str, Any]:
    return {
        "unique_id": f"test.tancang.{kind}_{of}_{column_name}", "resource_type": "test",
        "attached_node": f"model.tancang.{of}", "column_name": column_name,
        "test_metadata": {"name": kind, "kwargs": arguments},
    }  # fmt: skip
