"""Every rule of the catalogue that counts rows has a case that passes and a case that it catches.

A case is data: quality_cases/<rule>.yml holds small tables and what the rule must find in them. Where a case names
failing rows, every column it gives must be found exactly so.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from quality_scratch import AS_OF

from quality.catalogue import load_catalogue
from quality.runner import evaluate

CASES = Path(__file__).parent / "quality_cases"
SHIPPED = load_catalogue()
COUNTED = [rule.id for rule in SHIPPED.of_tool("sql", "pandera")]


@cache
def _columns() -> dict[str, dict[str, str]]:
    return yaml.safe_load((CASES / "_tables.yml").read_text(encoding="utf-8"))


def _cases(rule_id: str) -> list[dict[str, Any]]:
    path = CASES / f"{rule_id}.yml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))["cases"] if path.exists() else []


ALL_CASES = [
    pytest.param(rule_id, case, id=f"{rule_id}: {case['name']}")
    for rule_id in COUNTED
    for case in _cases(rule_id)
]


def _build(case: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    for schema in sorted({name.split(".")[0] for name in _columns()}):
        con.execute(f"create schema {schema}")
    for name, columns in {**_columns(), **case.get("columns", {})}.items():
        con.execute(
            f"create table {name} ({', '.join(f'{column} {kind}' for column, kind in columns.items())})"
        )
        rows = case.get("tables", {}).get(name, [])
        unknown = {column for row in rows for column in row} - set(columns)
        assert not unknown, f"{name} has no column {unknown}"
        for row in rows:
            con.execute(
                f"insert into {name} ({', '.join(row)}) values ({', '.join('?' for _ in row)})",
                list(row.values()),
            )
    assert set(case.get("tables", {})) <= set(_columns())
    return con


@pytest.mark.parametrize(("rule_id", "case"), ALL_CASES)
def test_a_rule_finds_what_its_case_plants(rule_id: str, case: dict[str, Any]) -> None:
    as_of = case.get("as_of", AS_OF)
    assert isinstance(as_of, dt.date)
    result = evaluate(_build(case), SHIPPED.rule(rule_id), SHIPPED, (), as_of)
    assert result.outcome != "broken", result.message
    wanted = case.get("failing", [])
    assert result.n_failing == len(wanted), [row.row_key for row in result.rows]
    for row, expected in zip(result.rows, wanted, strict=True):
        found = {name: getattr(row, name) for name in expected}
        assert found == expected


@pytest.mark.parametrize("rule_id", COUNTED)
def test_every_counting_rule_has_both_cases(rule_id: str) -> None:
    cases = _cases(rule_id)
    assert [case for case in cases if not case.get("failing")], f"{rule_id}: no case that passes"
    assert [case for case in cases if case.get("failing")], f"{rule_id}: no case that it catches"
    # a passing case on empty tables would prove nothing
    assert all(any(case.get("tables", {}).values()) for case in cases), f"{rule_id}: an empty case"


def test_no_case_is_left_without_its_rule() -> None:
    files = {path.stem for path in CASES.glob("*.yml")} - {"_tables"}
    assert files == set(COUNTED)


def test_a_rule_switched_off_lets_its_case_through() -> None:
    """Each failing case is caught by its own rule: with that rule's SQL emptied nothing is found."""
    for rule_id in COUNTED:
        rule = SHIPPED.rule(rule_id)
        if rule.tool != "sql":
            continue
        off = rule.model_copy(update={"failing": f"select * from ({rule.failing}) as found where false"})
        for case in _cases(rule_id):
            result = evaluate(_build(case), off, SHIPPED, (), case.get("as_of", AS_OF))
            assert (result.outcome, result.n_failing) == ("pass", 0)
