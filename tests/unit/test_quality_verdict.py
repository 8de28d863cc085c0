"""The release step believes no file: every way of passing off a verdict is refused."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from quality_scratch import AS_OF, above, catalogue, rule, waiver, warehouse

from quality.runner import run_rules
from quality.verdict import (
    Verdict,
    VerdictRefused,
    candidate_hash,
    make_verdict,
    read_verdict,
    verify_verdict,
    write_verdict,
)

RULES = catalogue(above(7), above(7, "second", severity="warn"))


@pytest.fixture
def built(tmp_path: Path) -> tuple[duckdb.DuckDBPyConnection, Path]:
    """A build that passed, and its verdict on disk."""
    con = warehouse()
    run_rules(con, RULES, (), AS_OF)
    path = tmp_path / "verdict.json"
    write_verdict(make_verdict(con, RULES, "b1", AS_OF), path)
    return con, path


def _refused(reason: str, con: duckdb.DuckDBPyConnection, path: Path, rules=RULES, waivers=(), build_id="b1"):  # type: ignore[no-untyped-def]
    with pytest.raises(VerdictRefused) as refused:
        verify_verdict(con, path, rules, waivers, build_id)
    assert refused.value.reason == reason
    assert refused.value.text.zh
    assert refused.value.text.en


def test_a_builds_own_pass_is_accepted(built: tuple[duckdb.DuckDBPyConnection, Path]) -> None:
    con, path = built
    verdict = verify_verdict(con, path, RULES, (), "b1")
    assert verdict == read_verdict(path)
    assert (verdict.outcome, verdict.n_rules, verdict.candidate_tables) == ("pass", 2, ("thing",))


def test_no_verdict_or_no_json_is_refused(built: tuple[duckdb.DuckDBPyConnection, Path]) -> None:
    con, path = built
    _refused("missing", con, path.with_name("other.json"))
    path.write_text("pass", encoding="utf-8")
    _refused("unreadable", con, path)
    path.write_text("{}", encoding="utf-8")
    _refused("unreadable", con, path)


def test_a_failed_build_is_refused(built: tuple[duckdb.DuckDBPyConnection, Path]) -> None:
    con, path = built
    rules = catalogue(above(5))
    run_rules(con, rules, (), AS_OF)
    verdict = make_verdict(con, rules, "b1", AS_OF)
    assert verdict.outcome == "fail"
    assert [(one.rule_id, one.n_failing) for one in verdict.failing_rules] == [("above", 2)]
    write_verdict(verdict, path)
    _refused("not_passed", con, path, rules)


def test_a_broken_check_fails_the_build() -> None:
    con = warehouse()
    rules = catalogue(rule("one", failing="selec", severity="warn"))
    run_rules(con, rules, (), AS_OF)
    verdict = make_verdict(con, rules, "b1", AS_OF)
    assert (verdict.outcome, verdict.failing_rules[0].outcome) == ("fail", "broken")


def test_a_forged_outcome_is_refused(built: tuple[duckdb.DuckDBPyConnection, Path]) -> None:
    con, path = built
    rules = catalogue(above(5))
    run_rules(con, rules, (), AS_OF)
    forged = make_verdict(con, rules, "b1", AS_OF).model_copy(
        update={"outcome": "pass", "failing_rules": (), "n_fail": 0}
    )
    write_verdict(forged, path)
    _refused("inconsistent", con, path, rules)


def test_forged_results_in_the_warehouse_are_refused(built: tuple[duckdb.DuckDBPyConnection, Path]) -> None:
    con, path = built
    rules = catalogue(above(5))
    run_rules(con, rules, (), AS_OF)
    con.execute("update gate.quality_result set outcome = 'pass', n_failing = 0")
    con.execute("delete from gate.quality_failure")
    write_verdict(make_verdict(con, rules, "b1", AS_OF), path)
    _refused("forged", con, path, rules)


def test_another_builds_verdict_is_refused(built: tuple[duckdb.DuckDBPyConnection, Path]) -> None:
    con, path = built
    other = json.loads(path.read_text(encoding="utf-8")) | {"build_id": "b2"}
    path.write_text(json.dumps(other), encoding="utf-8")
    _refused("other_build", con, path)
    _refused("other_build", con, path, build_id="b2")
    con.execute("update raw.build set build_id = 'b2'")
    path.write_text(json.dumps(other | {"as_of": "2021-01-01"}), encoding="utf-8")
    _refused("other_build", con, path, build_id="b2")


def test_an_older_builds_verdict_is_refused_after_a_new_build(
    built: tuple[duckdb.DuckDBPyConnection, Path],
) -> None:
    con, path = built
    con.execute("update raw.build set build_id = 'b2'")
    _refused("other_build", con, path, build_id="b2")
    # the same id again, but other figures
    con.execute("update raw.build set build_id = 'b1'")
    con.execute("update marts.thing set amount = 3 where name = 'k0'")
    _refused("other_candidate", con, path)


@pytest.mark.parametrize(
    "change",
    [
        "insert into marts.thing values ('k9', 2020, 1)",
        "delete from marts.thing where name = 'k0'",
        "alter table marts.thing rename amount to quantity",
        "alter table marts.thing alter amount type decimal(18, 2)",
        "create table marts.another as select 1 as a",
        "create view marts.another as select 1 as a",
        "update marts.thing set name = null where name = 'k0'",
    ],
)
def test_any_change_of_the_candidates_is_noticed(
    built: tuple[duckdb.DuckDBPyConnection, Path], change: str
) -> None:
    con, path = built
    con.execute(change)
    _refused("other_candidate", con, path)


def test_the_hash_knows_content_not_insertion_order() -> None:
    one, other = warehouse(), warehouse()
    other.execute("create or replace table marts.thing as select * from marts.thing order by amount desc")
    other.execute("set threads = 1")
    assert candidate_hash(one) == candidate_hash(other)
    assert candidate_hash(one, ["thing"]) == candidate_hash(one)


def test_another_catalogue_is_refused(built: tuple[duckdb.DuckDBPyConnection, Path]) -> None:
    con, path = built
    _refused("other_catalogue", con, path, catalogue(above(7)))
    _refused("other_catalogue", con, path, catalogue(above(6), above(7, "second", severity="warn")))


def test_a_rule_without_result_is_refused(built: tuple[duckdb.DuckDBPyConnection, Path]) -> None:
    con, path = built
    run_rules(con, catalogue(above(7)), (), AS_OF)
    verdict = make_verdict(con, RULES, "b1", AS_OF)
    assert verdict.outcome == "fail"
    write_verdict(verdict.model_copy(update={"outcome": "pass", "failing_rules": (), "n_fail": 0}), path)
    _refused("incomplete", con, path)
    con.execute("drop table gate.quality_result")
    _refused("incomplete", con, path)


def test_a_waived_build_needs_its_waivers_again(built: tuple[duckdb.DuckDBPyConnection, Path]) -> None:
    con, path = built
    rules = catalogue(above(5))
    run_rules(con, rules, (waiver(),), AS_OF)
    verdict = make_verdict(con, rules, "b1", AS_OF)
    write_verdict(verdict, path)
    assert (verdict.outcome, verdict.n_waived) == ("pass", 1)
    assert verify_verdict(con, path, rules, (waiver(),), "b1") == verdict
    _refused("forged", con, path, rules)


def test_the_file_is_replaced_whole(tmp_path: Path) -> None:
    con = warehouse()
    run_rules(con, RULES, (), AS_OF)
    verdict = make_verdict(con, RULES, "b1", AS_OF)
    path = tmp_path / "gate" / "verdict.json"
    write_verdict(verdict, path)
    write_verdict(verdict, path)
    assert [one.name for one in path.parent.iterdir()] == ["verdict.json"]
    assert Verdict.model_validate_json(path.read_text(encoding="utf-8")).digest == verdict.digest
