"""Great Expectations on the candidates: failures are found by name, a check that could not run is broken."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
from quality_scratch import AS_OF, above, catalogue, column, dbt_test, manifest, model, rule, warehouse

from quality import frames
from quality.checkpoint import CheckpointReport, run_checkpoint
from quality.data_docs import VENDOR, outside_references
from quality.expectations import Expectation, ManifestError, read_candidate_tables
from quality.results import RuleResult
from quality.runner import run_rules

GE_RULES = (
    rule("checkpoint_complete", tool="great_expectations", is_waivable=False),
    rule("ge_thing", tool="great_expectations"),
)
NAME = column("name", config={"meta": {"pattern": "^k[0-9]$"}})
YEAR = column("year", constraints=[{"type": "not_null"}], meta={"min": 2000, "max": 2100})
AMOUNT = column("amount", config={"meta": {"unit": "kWh"}})
THING = model("thing", ["name", "year"], NAME, YEAR, AMOUNT)


def _run(
    tmp_path: Path,
    con: duckdb.DuckDBPyConnection,
    manifest_path: Path,
    rules: Any = (),
    docs: str | None = None,
) -> tuple[CheckpointReport, dict[str, RuleResult]]:
    known = catalogue(*(rules or (above(7), *GE_RULES)))
    report = run_checkpoint(
        con, manifest_path, tmp_path / docs if docs else None, catalogue=known,
        rule_results=run_rules(con, known, (), AS_OF), build_id="b1", as_of=AS_OF,
    )  # fmt: skip
    return report, {result.rule_id: result for result in report.results}


def test_expectations_are_derived_from_the_declared_table(tmp_path: Path) -> None:
    kind = column("kind", meta={"accepted_values": ["a", "b"]})
    other = column("other")
    share = column("covered_share")
    change = column("change_pct", meta={"unit": "%"})
    free = column("net_kwh", meta={"unit": "kWh", "min": None})
    path = manifest(
        tmp_path,
        model("thing", ["name"], NAME, YEAR, AMOUNT, kind, other, share, change, free),
        model("hidden", ["name"], NAME) | {"config": {"meta": {"is_published": False}}},
        tests=(
            dbt_test("thing", "other", "accepted_values", values=["x"]),
            dbt_test("thing", "other", "not_null"),
        ),
    )
    (table,) = read_candidate_tables(path)
    assert {one.name for one in table.expectations} == {
        "columns", "name unique", "name not_null", "name regex", "year not_null", "year between",
        "amount between", "kind in_set", "other in_set", "other not_null", "covered_share between",
    }  # fmt: skip
    assert Expectation("between", ("covered_share",), {"min_value": 0, "max_value": 1}) in table.expectations


def test_good_candidates_pass_and_every_expectation_is_evaluated(tmp_path: Path) -> None:
    report, results = _run(tmp_path, warehouse(), manifest(tmp_path, THING))
    assert {name: one.outcome for name, one in results.items()} == {
        "checkpoint_complete": "pass",
        "ge_thing": "pass",
    }
    # columns, unique key, two not_null, pattern, year, amount
    assert (report.n_tables, report.n_expectations, report.docs_index) == (1, 7, None)


def test_a_failing_expectation_names_the_rows(tmp_path: Path) -> None:
    con = warehouse()
    con.execute("update marts.thing set amount = -1 where name in ('k2', 'k5')")
    con.execute("update marts.thing set name = 'x' where name = 'k7'")
    con.execute("update marts.thing set year = null where name = 'k1'")
    _, results = _run(tmp_path, con, manifest(tmp_path, THING))
    found = results["ge_thing"]
    assert (found.outcome, found.n_failing) == ("fail", 4)
    named = {(row.row_key, row.found) for row in found.rows}
    assert {
        ("k2|2020", "amount=-1.0"),
        ("k5|2020", "amount=-1.0"),
        ("x|2020", "name=x"),
        ("k1|null", "year=null"),
    } == named


def test_a_key_that_stands_twice_and_a_missing_value_are_found(tmp_path: Path) -> None:
    con = warehouse()
    con.execute("insert into marts.thing values ('k1', 2020, 9)")
    _, results = _run(tmp_path, con, manifest(tmp_path, THING))
    assert (results["ge_thing"].outcome, results["ge_thing"].n_failing) == ("fail", 2)
    assert {row.row_key for row in results["ge_thing"].rows} == {"k1|2020"}


@pytest.mark.parametrize(
    "declared",
    [
        column("no_such_column", constraints=[{"type": "not_null"}]),
        column("name", meta={"min": 3}),  # a range of texts cannot be evaluated
    ],
)
def test_a_check_that_cannot_run_is_broken_not_bad_data(tmp_path: Path, declared: dict[str, Any]) -> None:
    broken_table = model("thing", ["year"], NAME, YEAR, AMOUNT, declared)
    _, results = _run(tmp_path, warehouse(), manifest(tmp_path, broken_table), docs="docs")
    assert results["ge_thing"].outcome == "broken"
    assert "check broken" in results["ge_thing"].message
    # the engine prints its own traceback into the page: it must not say where this machine keeps things
    pages = "".join(page.read_text(encoding="utf-8") for page in (tmp_path / "docs").rglob("*.html"))
    assert sys.prefix not in pages
    assert str(tmp_path) not in pages


def test_an_engine_that_evaluates_nothing_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from quality import checkpoint

    monkeypatch.setattr(checkpoint._Engine, "validate", lambda *_, **__: [])
    _, results = _run(tmp_path, warehouse(), manifest(tmp_path, THING))
    assert {one.outcome for one in results.values()} == {"broken"}


def test_an_engine_that_cannot_start_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "great_expectations", None)
    report, results = _run(tmp_path, warehouse(), manifest(tmp_path, THING))
    assert {one.outcome for one in results.values()} == {"broken"}
    assert report.n_expectations == 0


def test_without_a_manifest_every_rule_is_broken(tmp_path: Path) -> None:
    with pytest.raises(ManifestError):
        read_candidate_tables(tmp_path / "manifest.json")
    _, results = _run(tmp_path, warehouse(), tmp_path / "manifest.json")
    assert {one.outcome for one in results.values()} == {"broken"}


def test_a_published_table_without_a_rule_and_a_rule_without_table_are_noticed(tmp_path: Path) -> None:
    con = warehouse()
    con.execute("create table marts.more as select 'a' as name")
    more = model("more", ["name"], column("name"))
    _, results = _run(tmp_path, con, manifest(tmp_path, THING, more))
    assert [row.row_key for row in results["checkpoint_complete"].rows] == ["more"]
    gone = (*GE_RULES, rule("ge_gone", tool="great_expectations"))
    _, results = _run(tmp_path, con, manifest(tmp_path, THING, more), rules=gone)
    assert results["ge_gone"].outcome == "broken"


def test_an_empty_table_passes(tmp_path: Path) -> None:
    con = warehouse()
    con.execute("delete from marts.thing")
    _, results = _run(tmp_path, con, manifest(tmp_path, THING))
    assert results["ge_thing"].outcome == "pass"


def test_the_pages_show_every_rule_and_need_nothing_from_outside(tmp_path: Path) -> None:
    rules = (
        above(5, text_zh="电量过大", text_en="too much electricity"), above(7, "quiet"),
        above(3, "hint", severity="warn"), rule("sick", failing="selec", severity="warn"), *GE_RULES,
    )  # fmt: skip
    report, results = _run(tmp_path, warehouse(), manifest(tmp_path, THING), rules, docs="docs")
    assert results["checkpoint_complete"].outcome == "pass"
    assert report.docs_index == tmp_path / "docs" / "index.html"
    pages = {
        path.relative_to(tmp_path / "docs").as_posix(): path.read_text("utf-8")
        for path in (tmp_path / "docs").rglob("*.html")
    }
    shown = {name: text for name, text in pages.items() if name.startswith("validations/rule_results")}
    assert len(shown) == 2
    (blocking,) = [text for name, text in shown.items() if "blocking" in name]
    (warning,) = [text for name, text in shown.items() if "warning" in name]
    assert "电量过大 / too much electricity" in blocking
    assert "quiet" in blocking
    assert "hint" in warning
    assert "check broken" in warning
    for text in pages.values():
        assert outside_references(text) == []
        assert "newsletter" not in text
        assert "dataContextId" not in text
    assert sum(path.stat().st_size for path in (tmp_path / "docs").rglob("*") if path.is_file()) < 3_000_000


def test_equal_builds_give_equal_pages(tmp_path: Path) -> None:
    path = manifest(tmp_path, THING)
    for name in ("one", "two"):
        _run(tmp_path, warehouse(), path, docs=name)
    one, two = (
        {page.relative_to(tmp_path / name): page.read_bytes() for page in (tmp_path / name).rglob("*.html")}
        for name in ("one", "two")
    )
    assert one == two


def test_every_shipped_asset_keeps_its_licence() -> None:
    listed = (VENDOR / "README.md").read_text(encoding="utf-8")
    packages = [folder for folder in VENDOR.iterdir() if folder.is_dir()]
    for folder in packages:
        assert list(folder.glob("LICENSE*")), folder.name
        name, version = re.fullmatch(r"(.+)-(\d[\d.]*)", folder.name).groups()  # type: ignore[union-attr]
        assert re.search(rf"{re.escape(name)} \| {re.escape(version)} \|", listed), folder.name
    assert sum(path.stat().st_size for path in VENDOR.rglob("*") if path.is_file()) < 4_000_000


BREAKS = {
    "nothing": "select 1",
    "too_low": "update marts.thing set amount = -1 where name = 'k3' and year = 2020",
    "strange_name": "update marts.thing set name = 'k77' where name = 'k3' and year = 2020",
    "no_year": "update marts.thing set year = null where name = 'k5' and amount = 7",
    "late_year": "update marts.thing set year = 2101 where name = 'k5' and amount = 7",
    "twice": "insert into marts.thing select * from marts.thing where name = 'k1' limit 1",
    "no_amount": "alter table marts.thing drop amount",
}


@pytest.mark.parametrize("broken", BREAKS)
def test_a_large_table_is_judged_by_the_rows_that_decide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    con = warehouse()
    con.execute(
        "create or replace table marts.thing as select 'k' || n as name, 2000 + y as year, y::decimal(18, 4) as amount "
        "from range(8) as t(n), range(60) as u(y)"
    )
    con.execute(BREAKS[broken])
    declared = manifest(tmp_path, THING)
    _, whole = _run(tmp_path, con, declared)
    monkeypatch.setattr(frames, "MAX_ROWS", 100)
    _, shown = _run(tmp_path, con, declared)
    assert (shown["ge_thing"].outcome == "pass") == (broken == "nothing")
    assert shown["ge_thing"].outcome == whole["ge_thing"].outcome
    assert {row.found for row in shown["ge_thing"].rows} == {row.found for row in whole["ge_thing"].rows}


def test_a_large_table_is_not_read_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    con = warehouse()
    con.execute(
        "create or replace table marts.thing as select 'k' || n % 8 as name, 2000 + n // 8 as year, n::decimal(18, 4) as amount "
        "from range(800) as t(n)"
    )
    monkeypatch.setattr(frames, "MAX_ROWS", 799)
    (table,) = read_candidate_tables(manifest(tmp_path, THING))
    # the first row of each of the eight names, and the latest year with its largest amount
    assert sorted(frames.read_frame(con, table)["amount"]) == [0, 1, 2, 3, 4, 5, 6, 7, 792, 799]
