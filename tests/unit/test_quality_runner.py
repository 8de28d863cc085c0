"""A rule that runs is counted in full; one that does not run is broken, never a pass."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from quality_scratch import AS_OF, COLUMNS, above, catalogue, rule, waiver, warehouse

from quality import runner
from quality.dbt_tests import DbtResultsError, DbtTestResult, read_run_results
from quality.results import read_results
from quality.runner import record_results, run_rules
from quality.summary import summarise


def _one(*rules, waivers=(), dbt_tests=None):  # type: ignore[no-untyped-def]
    (result,) = run_rules(warehouse(), catalogue(*rules), waivers, AS_OF, dbt_tests)
    return result


def test_failing_rows_are_counted_named_and_ordered() -> None:
    result = _one(above(5))
    assert (result.outcome, result.n_failing) == ("fail", 2)
    assert [row.row_key for row in result.rows] == ["k6", "k7"]
    assert [row.found for row in result.rows] == ["6.0000", "7.0000"]


def test_a_warning_warns_and_zero_rows_pass() -> None:
    assert _one(above(5, severity="warn")).outcome == "warn"
    assert _one(above(7)).outcome == "pass"


def test_stored_rows_are_capped_the_count_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "MAX_STORED_ROWS", 3)
    result = _one(above(-1))
    assert (result.n_failing, len(result.rows)) == (8, 3)


@pytest.mark.parametrize(
    "failing",
    [
        "selec nothing",
        "select no_such_column from marts.thing",
        "select name as row_key from marts.thing",  # columns are missing
        f"select {COLUMNS} from marts.no_such_table",
        f"select {COLUMNS} from marts.thing where cast(name as integer) > 3",  # raises while it runs
        f"select {COLUMNS.replace('null as line', 'name as line')} from marts.thing",  # no line number
    ],
)
@pytest.mark.parametrize("severity", ["warn", "fail"])
def test_a_broken_check_is_neither_a_pass_nor_bad_data(failing: str, severity: str) -> None:
    result = _one(rule("one", failing=failing, severity=severity))
    assert result.outcome == "broken"
    assert "check broken" in result.message
    assert "检查损坏" in result.message
    assert result.rows == ()


def test_a_broken_check_leaves_the_others_running() -> None:
    results = run_rules(
        warehouse(), catalogue(above(5, "a"), rule("b", failing="selec"), above(5, "c")), (), AS_OF
    )
    assert [result.outcome for result in results] == ["fail", "broken", "fail"]


def test_a_threshold_of_the_profile_is_bound_and_a_missing_one_breaks_the_check() -> None:
    sql = f"select {COLUMNS} from marts.thing where amount > cast($limit as decimal(18, 4))"
    assert _one(rule("one", failing=sql, profile_params={"limit": "upper_limit"})).n_failing == 2
    missing = _one(rule("one", failing=sql, profile_params={"limit": "no_such_key"}))
    assert missing.outcome == "broken"
    assert "no_such_key" in missing.message


def test_a_pandera_rule_counts_its_reasons_in_quarantine() -> None:
    con = warehouse()
    con.execute(
        "insert into raw.quarantine values ('i1', '110', '2021', 'a.csv', null, 'B3', 3, 'not_a_number', "
        "'见附件', '一个数值', 'a number'), "
        "('i2', '110', '2021', 'a.csv', null, 'B4', 4, 'unknown_unit', 'BTU', 'x', 'y')"
    )
    one = rule("one", tool="pandera", severity="warn", reason_codes=["not_a_number"])
    other = rule(
        "other",
        failing="select institution_id as row_key, path, sheet, cell, row_number as line, found, "
        "null as expected, false as is_mended from raw.quarantine "
        "where reason_code not in (select unnest($counted_reason_codes))",
    )
    counted, uncounted = run_rules(con, catalogue(one, other), (), AS_OF)
    assert (counted.n_failing, counted.rows[0].cell, counted.rows[0].found) == (1, "B3", "见附件")
    assert counted.rows[0].expected == "一个数值 / a number"
    assert [row.row_key for row in uncounted.rows] == ["i2"]


def test_dbt_tests_are_judged_by_severity() -> None:
    tests = [
        DbtTestResult("assert_a", "fail", 3),
        DbtTestResult("assert_b", "warn", 1),
        DbtTestResult("not_null_c", "pass"),
    ]
    failed = _one(rule("one", tool="dbt", test="*"), dbt_tests=tests)
    assert (failed.outcome, [row.row_key for row in failed.rows]) == ("fail", ["assert_a"])
    warned = _one(rule("one", tool="dbt", test="*", severity="warn"), dbt_tests=tests)
    assert (warned.outcome, [row.row_key for row in warned.rows]) == ("warn", ["assert_b"])
    assert _one(rule("one", tool="dbt", test="not_null_*"), dbt_tests=tests).outcome == "pass"


@pytest.mark.parametrize(
    "tests",
    [
        None,
        [],
        [DbtTestResult("assert_a", "error", message="no such column")],
        [DbtTestResult("assert_a", "skipped")],
    ],
)
def test_a_dbt_test_that_did_not_run_is_a_broken_check(tests: list[DbtTestResult] | None) -> None:
    assert _one(rule("one", tool="dbt", test="*"), dbt_tests=tests).outcome == "broken"


def test_run_results_are_read(tmp_path: Path) -> None:
    path = tmp_path / "run_results.json"
    path.write_text(
        '{"results": [{"unique_id": "test.tancang.assert_b", "status": "fail", "failures": 2},'
        '{"unique_id": "model.tancang.thing", "status": "success"},'
        '{"unique_id": "test.tancang.not_null_thing_a.0a1b", "status": "pass", "failures": 0},'
        '{"unique_id": "unit_test.tancang.thing.adds_up", "status": "success"}]}',
        encoding="utf-8",
    )
    tests = read_run_results(path)
    assert [(test.name, test.status, test.n_failing) for test in tests] == [
        ("assert_b", "fail", 2), ("not_null_thing_a", "pass", 0), ("thing.adds_up", "pass", 0),
    ]  # fmt: skip
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(DbtResultsError):
        read_run_results(path)


def test_the_gate_tables_hold_what_was_found() -> None:
    con = warehouse()
    results = run_rules(con, catalogue(above(5, "b"), above(6, "a")), (), AS_OF)
    assert read_results(con) == results
    rows = con.execute(
        "select rule_id, failure_number, row_key from gate.quality_failure order by all"
    ).fetchall()
    assert rows == [("a", 1, "k7"), ("b", 1, "k6"), ("b", 2, "k7")]


def test_another_engines_results_are_added_with_waivers() -> None:
    con = warehouse()
    held = rule("ge_thing", tool="great_expectations")
    known = catalogue(above(5), held)
    run_rules(con, known, (), AS_OF)
    from quality.results import FailingRow, counted

    found = [counted(held, 2, [FailingRow(row_key="k1"), FailingRow(row_key="k2")])]
    record_results(con, known, found, (waiver("ge_thing"),), AS_OF)
    assert [(one.rule_id, one.outcome) for one in read_results(con)] == [
        ("above", "fail"),
        ("ge_thing", "waived"),
    ]
    # twenty rows are named of thousands: a waiver for named rows must not cover the others
    found = [counted(held, 5000, [FailingRow(row_key="k1")])]
    (_, again) = record_results(con, known, found, (waiver("ge_thing", scope="k1"),), AS_OF)
    assert again.outcome == "fail"


def test_the_summary_puts_what_blocks_first() -> None:
    con = warehouse()
    rules = catalogue(
        above(5, "a", severity="warn"),
        above(5, "b"),
        rule("c", failing="selec"),
        above(7, "d"),
        above(6, "e"),
    )
    late = waiver("b", expires_on=dt.date(2022, 1, 1))
    results = run_rules(con, rules, (waiver("e"), late), AS_OF)
    summary = summarise(results, (waiver("e"), late), AS_OF, max_rows=1)
    assert [(line.rule_id, line.outcome) for line in summary.lines] == [
        ("c", "broken"), ("b", "fail"), ("e", "waived"), ("a", "warn"),
    ]  # fmt: skip
    assert (summary.outcome, summary.n_rules, summary.n_pass, summary.n_fail) == ("fail", 5, 1, 2)
    assert (summary.lines[1].first_rows[0].row_key, summary.lines[1].n_more) == ("k6", 1)
    assert summary.expired_waivers == (late,)
