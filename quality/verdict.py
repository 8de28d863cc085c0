"""The verdict on one build, and its verification by whoever is about to publish.

Here belongs what follows from the recorded results, writing it down, and refusing a verdict that is not
this build's own. Running rules stands in runner.py; publishing in exports.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from quality.candidate import candidate_hash, candidate_tables
from quality.catalogue import Catalogue
from quality.messages import QualityError
from quality.results import BLOCKING, RuleResult, read_results, results_digest
from quality.runner import evaluate
from quality.waivers import Waiver, load_waivers

if TYPE_CHECKING:
    import duckdb

__all__ = [
    "Verdict", "VerdictRefused", "candidate_hash", "make_verdict", "read_verdict", "verify_verdict",
    "write_verdict",
]  # fmt: skip

Reason = Literal[
    "missing", "unreadable", "other_build", "other_candidate", "other_catalogue", "incomplete",
    "inconsistent", "forged", "not_passed",
]  # fmt: skip


class VerdictRefused(QualityError):
    """The release step may not publish on this verdict."""

    def __init__(self, reason: Reason, text_zh: str, text_en: str) -> None:
        super().__init__(
            f"不予发布：{text_zh} 请重新运行夜间任务，现行发布保持不变。",
            f"release refused: {text_en} Run the night again; the current release stays.",
        )
        self.reason: Reason = reason


class FailingRule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    rule_id: str
    outcome: str
    n_failing: int


class Verdict(BaseModel):
    """What the gate says of one build, bound to its candidates, its catalogue and its results."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    build_id: str
    as_of: dt.date
    candidate_hash: str
    candidate_tables: tuple[str, ...]
    catalogue_digest: str
    n_rules: int
    results_digest: str
    outcome: Literal["pass", "fail"]
    n_fail: int
    n_warn: int
    n_waived: int
    failing_rules: tuple[FailingRule, ...]

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        return json.dumps(self.model_dump(mode="json"), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def make_verdict(
    con: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    build_id: str,
    as_of: dt.date,
    hashed: str | None = None,
) -> Verdict:
    """Draw the verdict from the gate tables as they stand; a rule without result counts as broken.

    `hashed` is the hash of the candidates, if the caller has just taken it.
    """
    results = read_results(con)
    recorded = {result.rule_id for result in results}
    failing = [
        FailingRule(rule_id=r.rule_id, outcome=r.outcome, n_failing=r.n_failing)
        for r in results
        if r.outcome in BLOCKING
    ]
    missing = [rule_id for rule_id in catalogue.ids if rule_id not in recorded]
    failing += [FailingRule(rule_id=rule_id, outcome="broken", n_failing=0) for rule_id in missing]
    return Verdict(
        build_id=build_id,
        as_of=as_of,
        candidate_hash=hashed or candidate_hash(con),
        candidate_tables=tuple(candidate_tables(con)),
        catalogue_digest=catalogue.digest,
        n_rules=len(catalogue.rules),
        results_digest=results_digest(results),
        outcome="fail" if failing else "pass",
        n_fail=len(failing),
        n_warn=sum(result.outcome == "warn" for result in results),
        n_waived=sum(result.outcome == "waived" for result in results),
        failing_rules=tuple(sorted(failing, key=lambda rule: rule.rule_id)),
    )


def write_verdict(verdict: Verdict, path: Path) -> None:
    """Atomic: a reader sees the old verdict or the new one, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(verdict.to_json())
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_verdict(path: Path) -> Verdict:
    if not path.is_file():
        raise VerdictRefused(
            "missing",
            f"没有找到本次构建的结论文件 {path.name}。",
            f"there is no verdict file {path.name} for this build.",
        )
    try:
        return Verdict.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise VerdictRefused(
            "unreadable",
            f"结论文件 {path.name} 无法读取或内容不合格。",
            f"the verdict file {path.name} cannot be read or is not a verdict.",
        ) from error


def verify_verdict(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    catalogue: Catalogue,
    waivers: Sequence[Waiver] | Path,
    build_id: str,
) -> Verdict:
    """Refuse to publish unless the verdict is this build's own and follows from what the rules find.

    Nothing the file says is believed: the build is read from the warehouse, the candidates are hashed again,
    the outcome is drawn again from the gate tables, and every rule that needs no other engine counts again.
    """
    verdict = read_verdict(path)
    if isinstance(waivers, Path):
        waivers = load_waivers(waivers, catalogue)
    _refuse_other_build(con, verdict, build_id)
    if verdict.catalogue_digest != catalogue.digest:
        raise VerdictRefused(
            "other_catalogue",
            "结论依据的规则目录与现行规则目录不同。",
            "the verdict was drawn under another rule catalogue.",
        )
    hashed = candidate_hash(con)
    if verdict.candidate_hash != hashed:
        raise VerdictRefused(
            "other_candidate",
            "待发布的数据与结论所检查的数据不同。",
            "the candidate tables are not the ones that were checked.",
        )
    results = _recorded(con)
    _refuse_incomplete(results, catalogue)
    if make_verdict(con, catalogue, verdict.build_id, verdict.as_of, hashed) != verdict:
        raise VerdictRefused(
            "inconsistent",
            "结论与仓库中记录的检查结果不一致。",
            "the verdict does not follow from the results recorded in the warehouse.",
        )
    _refuse_other_counts(con, results, catalogue, waivers, verdict.as_of)
    if verdict.outcome != "pass":
        names = "、".join(rule.rule_id for rule in verdict.failing_rules)
        raise VerdictRefused(
            "not_passed",
            f"本次构建未通过检查：{names}。",
            f"this build did not pass: {names.replace('、', ', ')}.",
        )
    return verdict


def _refuse_other_build(con: duckdb.DuckDBPyConnection, verdict: Verdict, build_id: str) -> None:
    built = _fetch(con, "select build_id, as_of from raw.build")
    if len(built) != 1 or built[0] != (build_id, verdict.as_of) or verdict.build_id != build_id:
        in_warehouse = built[0][0] if len(built) == 1 else None
        raise VerdictRefused(
            "other_build",
            f"结论属于另一次构建（结论 {verdict.build_id}，仓库 {in_warehouse}，要求 {build_id}）。",
            f"the verdict is of another build (verdict {verdict.build_id}, warehouse {in_warehouse}, "
            f"asked for {build_id}).",
        )


def _recorded(con: duckdb.DuckDBPyConnection) -> list[RuleResult]:
    import duckdb

    try:
        return read_results(con)
    except duckdb.Error as error:
        raise VerdictRefused(
            "incomplete", "仓库中没有检查结果。", "the warehouse holds no results of the gate."
        ) from error


def _fetch(con: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[object, ...]]:
    import duckdb

    try:
        return con.execute(sql).fetchall()
    except duckdb.Error:
        return []


def _refuse_incomplete(results: Sequence[RuleResult], catalogue: Catalogue) -> None:
    recorded = [result.rule_id for result in results]
    missing = sorted(set(catalogue.ids) - set(recorded))
    unknown = sorted(set(recorded) - set(catalogue.ids))
    if missing or unknown or len(set(recorded)) != len(recorded):
        names = ", ".join([*missing, *unknown]) or "?"
        raise VerdictRefused(
            "incomplete",
            f"检查结果与规则目录不是一一对应：{names}。",
            f"the results do not match the catalogue one to one: {names}.",
        )


def _refuse_other_counts(
    con: duckdb.DuckDBPyConnection,
    results: Sequence[RuleResult],
    catalogue: Catalogue,
    waivers: Sequence[Waiver],
    as_of: dt.date,
) -> None:
    recorded = {result.rule_id: result for result in results}
    for rule in catalogue.of_tool("sql", "pandera"):
        again, before = evaluate(con, rule, catalogue, waivers, as_of), recorded[rule.id]
        if (again.outcome, again.n_failing, again.waiver_id) != (
            before.outcome,
            before.n_failing,
            before.waiver_id,
        ):
            raise VerdictRefused(
                "forged",
                f"规则 {rule.id} 重新计数为 {again.outcome} {again.n_failing}，"
                f"记录为 {before.outcome} {before.n_failing}。",
                f"rule {rule.id} counts {again.outcome} {again.n_failing} again, "
                f"but {before.outcome} {before.n_failing} is recorded.",
            )
