"""Runs the catalogue's SQL, pandera and dbt rules against the warehouse and records what they found.

Here belongs turning a rule into a count and named rows, and applying waivers to it. The rules themselves
stand in rules/*.yml; Great Expectations in checkpoint.py; what follows from the results in verdict.py.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from quality.catalogue import Catalogue, Rule
from quality.dbt_tests import DbtTestResult
from quality.messages import both
from quality.results import (
    FAILURE_COLUMNS,
    FailingRow,
    RuleResult,
    broken,
    counted,
    read_results,
    write_results,
)
from quality.waivers import Waiver, active_waivers

if TYPE_CHECKING:
    import duckdb

# a rule that fails on every row of a province must not fill the release; n_failing stays the full count
MAX_STORED_ROWS = 1000

_QUARANTINE_SQL = """
    select concat_ws('|', institution_id, item_code, period) as row_key, path, sheet, cell,
           row_number as line, found, concat_ws(' / ', expected_zh, expected_en) as expected,
           false as is_mended
    from raw.quarantine
    where reason_code in (select unnest($reason_codes::varchar[]))
"""


def run_rules(
    con: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    waivers: Sequence[Waiver],
    as_of: dt.date,
    dbt_tests: Sequence[DbtTestResult] | None = None,
) -> list[RuleResult]:
    """Run every sql, pandera and dbt rule, apply the waivers, and replace the gate tables."""
    results = [evaluate(con, rule, catalogue, waivers, as_of) for rule in catalogue.of_tool("sql", "pandera")]
    for rule in catalogue.of_tool("dbt"):
        results.append(waive_rows(_judge_dbt(rule, dbt_tests), rule, waivers, as_of))
    results.sort(key=lambda result: result.rule_id)
    write_results(con, results)
    return results


def record_results(
    con: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    results: Sequence[RuleResult],
    waivers: Sequence[Waiver],
    as_of: dt.date,
) -> list[RuleResult]:
    """Add results that another engine gave (the checkpoint), waivers applied; earlier ones are replaced."""
    kept = {result.rule_id: result for result in read_results(con)}
    for result in results:
        rule = catalogue.rule(result.rule_id)
        kept[result.rule_id] = waive_rows(result, rule, waivers, as_of)
    ordered = [kept[rule_id] for rule_id in sorted(kept)]
    write_results(con, ordered)
    return ordered


def evaluate(
    con: duckdb.DuckDBPyConnection,
    rule: Rule,
    catalogue: Catalogue,
    waivers: Sequence[Waiver],
    as_of: dt.date,
) -> RuleResult:
    """Count one sql or pandera rule; whatever goes wrong is a broken check, never a pass."""
    try:
        sql, bound = rule.failing or "", _bind(con, rule, catalogue, as_of)
        if rule.tool == "pandera":
            sql = _QUARANTINE_SQL + (f"union all by name (\n{sql}\n)" if sql else "")
            bound["reason_codes"] = list(rule.reason_codes)
        globs = [waiver.glob for waiver in active_waivers(tuple(waivers), rule.id, as_of)]
        n_failing, n_open, rows = _select_failing(con, sql, bound, globs)
    except Exception as error:
        return broken(rule, _cause(error))
    return _apply(counted(rule, n_failing, rows), rule, n_open, waivers, as_of)


def waive_rows(result: RuleResult, rule: Rule, waivers: Sequence[Waiver], as_of: dt.date) -> RuleResult:
    """Apply waivers to a result whose failing rows are all at hand."""
    globs = [waiver.glob for waiver in active_waivers(tuple(waivers), rule.id, as_of)]
    if len(result.rows) < result.n_failing:
        # rows that are not named can only be covered by a waiver for the whole rule
        n_open = 0 if "*" in globs else result.n_failing
    else:
        keys = [row.row_key or "" for row in result.rows]
        n_open = sum(not any(fnmatchcase(key, glob) for glob in globs) for key in keys)
    return _apply(result, rule, n_open, waivers, as_of)


def _apply(
    result: RuleResult, rule: Rule, n_open: int, waivers: Sequence[Waiver], as_of: dt.date
) -> RuleResult:
    if result.outcome != "fail" or not rule.is_waivable:
        return result
    active = active_waivers(tuple(waivers), rule.id, as_of)
    if active and n_open == 0:
        names = ", ".join(waiver.waiver_id for waiver in active)
        until = min(waiver.expires_on for waiver in active)
        message = both(
            f"已豁免：{result.n_failing} 处，至 {until}", f"waived: {result.n_failing} found, until {until}"
        )
        return result.with_outcome("waived", names, message)
    if active:
        message = both(
            f"不通过：{result.n_failing} 处，其中 {n_open} 处没有豁免",
            f"failed: {result.n_failing} found, {n_open} of them not waived",
        )
        return result.with_outcome("fail", None, message)
    expired = [waiver for waiver in waivers if waiver.rule == rule.id]
    if expired:
        last = max(waiver.expires_on for waiver in expired)
        message = both(
            f"不通过：{result.n_failing} 处；豁免已于 {last} 到期",
            f"failed: {result.n_failing} found; the waiver ran out on {last}",
        )
        return result.with_outcome("fail", None, message)
    return result


def _bind(con: duckdb.DuckDBPyConnection, rule: Rule, catalogue: Catalogue, as_of: dt.date) -> dict[str, Any]:
    bound: dict[str, Any] = dict(rule.params)
    for name, key in rule.profile_params.items():
        found = con.execute("select value from raw.profile where key = ?", [key]).fetchall()
        if len(found) != 1 or found[0][0] is None:
            raise LookupError(f"region profile: {key}: {len(found)} values")
        bound[name] = found[0][0]
    runner: dict[str, Any] = {"as_of": as_of, "counted_reason_codes": catalogue.counted_reason_codes}
    return bound | {name: value for name, value in runner.items() if name in rule.used_params}


def _select_failing(
    con: duckdb.DuckDBPyConnection, sql: str, bound: dict[str, Any], globs: Sequence[str]
) -> tuple[int, int, tuple[FailingRow, ...]]:
    """Run the rule once into a temporary table; give the count, what no waiver covers, and the first rows."""
    body = sql.rstrip().rstrip(";")
    con.execute(
        f"create or replace temp table rule_failing as select * from (\n{body}\n) as r", bound or None
    ).fetchall()
    try:
        given = {name for name, *_ in con.execute("describe rule_failing").fetchall()}
        if lacking := [name for name in FAILURE_COLUMNS if name not in given]:
            raise LookupError(f"the rule's SQL gives no column {', '.join(lacking)}")
        counts = con.execute(
            "select count(*), count(*) filter (where not exists (select 1 from unnest($globs::varchar[])"
            " as waived(pattern) where coalesce(row_key, '') glob waived.pattern)) from rule_failing",
            {"globs": list(globs)},
        ).fetchall()
        columns = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in FAILURE_COLUMNS.items())
        rows = con.execute(
            f"select {columns} from rule_failing order by all nulls last limit {MAX_STORED_ROWS}"
        ).fetchall()
    finally:
        con.execute("drop table rule_failing")
    names = tuple(FAILURE_COLUMNS)
    stored = tuple(FailingRow(**dict(zip(names, row, strict=True))) for row in rows)
    return counts[0][0], counts[0][1], stored


def _judge_dbt(rule: Rule, tests: Sequence[DbtTestResult] | None) -> RuleResult:
    """A `fail` rule counts failed tests, a `warn` rule those that warned; one not run breaks both."""
    matching = [test for test in tests or () if fnmatchcase(test.name, rule.test or "")]
    if not matching:
        return broken(rule, f"dbt: {rule.test}: no test ran")
    unfinished = [test for test in matching if test.status in {"error", "skipped"}]
    if unfinished:
        first = unfinished[0]
        detail = f": {_one_line(first.message)}" if first.message else ""
        return broken(rule, f"dbt: {first.name}: {first.status}{detail}")
    failing = [test for test in matching if test.status == rule.severity]
    return counted(rule, len(failing), _dbt_rows(failing))


def _dbt_rows(tests: Iterable[DbtTestResult]) -> list[FailingRow]:
    return [
        FailingRow(row_key=test.name, found=str(test.n_failing), expected="0")
        for test in sorted(tests, key=lambda test: test.name)
    ]


def _cause(error: Exception) -> str:
    return f"{type(error).__name__}: {_one_line(str(error))}"


def _one_line(text: str, limit: int = 300) -> str:
    # DuckDB's messages carry the statement and a caret on further lines; the first says what is wrong
    lines = text.strip().splitlines()
    return lines[0][:limit] if lines else ""
