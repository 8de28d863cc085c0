"""What running a rule gives, and the two gate tables that keep it.

Here belongs the shape of a result and its writing and reading in schema gate; deciding outcomes does not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from quality.catalogue import Rule
from quality.messages import both

if TYPE_CHECKING:
    import duckdb

Outcome = Literal["pass", "warn", "fail", "waived", "broken"]
BLOCKING: frozenset[str] = frozenset({"fail", "broken"})

FAILURE_COLUMNS: dict[str, str] = {
    "row_key": "varchar",
    "path": "varchar",
    "sheet": "varchar",
    "cell": "varchar",
    "line": "bigint",
    "found": "varchar",
    "expected": "varchar",
    "is_mended": "boolean",
}
_RESULT_DDL = """
    rule_id varchar not null, scope varchar not null, severity varchar not null, tool varchar not null,
    outcome varchar not null, n_failing bigint not null, waiver_id varchar, text_zh varchar not null,
    text_en varchar not null, message varchar not null
"""
_FAILURE_DDL = "rule_id varchar not null, failure_number bigint not null, " + ", ".join(
    f"{name} {kind}" for name, kind in FAILURE_COLUMNS.items()
)


@dataclass(frozen=True)
class FailingRow:
    """One row that a rule names; what is not known of it stays None."""

    row_key: str | None = None
    path: str | None = None
    sheet: str | None = None
    cell: str | None = None
    line: int | None = None
    found: str | None = None
    expected: str | None = None
    is_mended: bool | None = None


@dataclass(frozen=True)
class RuleResult:
    """The outcome of one rule: the full failing count, and the first rows by name."""

    rule_id: str
    scope: str
    severity: str
    tool: str
    outcome: Outcome
    n_failing: int
    waiver_id: str | None
    text_zh: str
    text_en: str
    message: str
    rows: tuple[FailingRow, ...] = ()

    def with_outcome(self, outcome: Outcome, waiver_id: str | None, message: str) -> RuleResult:
        return replace(self, outcome=outcome, waiver_id=waiver_id, message=message)


def counted(rule: Rule, n_failing: int, rows: Iterable[FailingRow] = ()) -> RuleResult:
    """A rule that ran: `pass` at zero failing rows, else the rule's own severity; waivers come later."""
    if n_failing == 0:
        message = both("通过", "passed")
    elif rule.severity == "warn":
        message = both(f"提示：{n_failing} 处", f"warning: {n_failing} found")
    else:
        message = both(f"不通过：{n_failing} 处", f"failed: {n_failing} found")
    return _result(rule, "pass" if n_failing == 0 else rule.severity, n_failing, message, rows)


def broken(rule: Rule, cause: str) -> RuleResult:
    """A check that could not be carried out. It says nothing about the data, so it blocks at any severity."""
    return _result(rule, "broken", 0, both(f"检查损坏：{cause}", f"check broken: {cause}"), ())


def _result(
    rule: Rule, outcome: Outcome, n_failing: int, message: str, rows: Iterable[FailingRow]
) -> RuleResult:
    return RuleResult(
        rule_id=rule.id, scope=rule.scope, severity=rule.severity, tool=rule.tool, outcome=outcome,
        n_failing=n_failing, waiver_id=None, text_zh=rule.text_zh, text_en=rule.text_en, message=message,
        rows=tuple(rows),
    )  # fmt: skip


def write_results(con: duckdb.DuckDBPyConnection, results: Sequence[RuleResult]) -> None:
    """Replace the content of the gate tables, in order of rule id, failures numbered from 1 in each rule."""
    ordered = sorted(results, key=lambda result: result.rule_id)
    con.execute("create schema if not exists gate")
    con.execute("begin")
    try:
        con.execute(f"create or replace table gate.quality_result ({_RESULT_DDL})")
        con.execute(f"create or replace table gate.quality_failure ({_FAILURE_DDL})")
        if ordered:
            con.executemany(
                "insert into gate.quality_result values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (r.rule_id, r.scope, r.severity, r.tool, r.outcome, r.n_failing, r.waiver_id, r.text_zh,
                     r.text_en, r.message)
                    for r in ordered
                ],
            )  # fmt: skip
        _insert_failures(con, ordered)
        con.execute("commit")
    except Exception:
        con.execute("rollback")
        raise


def _insert_failures(con: duckdb.DuckDBPyConnection, results: Sequence[RuleResult]) -> None:
    columns: dict[str, list[object]] = {name: [] for name in ("rule_id", "failure_number", *FAILURE_COLUMNS)}
    for result in results:
        for number, row in enumerate(result.rows, start=1):
            columns["rule_id"].append(result.rule_id)
            columns["failure_number"].append(number)
            for name in FAILURE_COLUMNS:
                columns[name].append(getattr(row, name))
    if not columns["rule_id"]:
        return
    # one list per column: a statement per row would cost seconds at a province's size
    con.execute(
        "insert into gate.quality_failure select "
        + ", ".join(f"unnest(${name}::{_list_type(name)})" for name in columns),
        columns,
    )


def _list_type(name: str) -> str:
    return f"{ {'rule_id': 'varchar', 'failure_number': 'bigint', **FAILURE_COLUMNS}[name] }[]"


def read_results(con: duckdb.DuckDBPyConnection) -> list[RuleResult]:
    """The gate tables as they stand in the warehouse."""
    rows: dict[str, list[FailingRow]] = {}
    names = ", ".join(FAILURE_COLUMNS)
    for rule_id, *values in con.execute(
        f"select rule_id, {names} from gate.quality_failure order by rule_id, failure_number"
    ).fetchall():
        rows.setdefault(rule_id, []).append(FailingRow(**dict(zip(FAILURE_COLUMNS, values, strict=True))))
    fields = "rule_id, scope, severity, tool, outcome, n_failing, waiver_id, text_zh, text_en, message"
    results = con.execute(f"select {fields} from gate.quality_result order by rule_id").fetchall()
    return [
        RuleResult(**dict(zip(fields.split(", "), values, strict=True)), rows=tuple(rows.get(values[0], ())))
        for values in results
    ]


def results_digest(results: Sequence[RuleResult]) -> str:
    """One hash over every result and every named row, in the order of the gate tables."""
    canonical = [
        [r.rule_id, r.scope, r.severity, r.tool, r.outcome, r.n_failing, r.waiver_id, r.message,
         [[getattr(row, name) for name in FAILURE_COLUMNS] for row in r.rows]]
        for r in sorted(results, key=lambda result: result.rule_id)
    ]  # fmt: skip
    text = json.dumps(canonical, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
