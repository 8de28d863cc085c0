"""What a person reads first after a night: the rules that have something to say, and their first rows.

Here belongs picking and ordering; printing, colours and language stand in orchestration.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from quality.results import BLOCKING, FailingRow, RuleResult
from quality.waivers import Waiver, expired_waivers

_ORDER = {"broken": 0, "fail": 1, "waived": 2, "warn": 3}


@dataclass(frozen=True)
class RuleLine:
    """One rule that has something to say."""

    rule_id: str
    outcome: str
    scope: str
    n_failing: int
    text_zh: str
    text_en: str
    message: str
    waiver_id: str | None
    first_rows: tuple[FailingRow, ...]
    n_more: int


@dataclass(frozen=True)
class GateSummary:
    outcome: str
    n_rules: int
    n_pass: int
    n_warn: int
    n_waived: int
    n_fail: int
    lines: tuple[RuleLine, ...]
    expired_waivers: tuple[Waiver, ...]


def summarise(
    results: Sequence[RuleResult],
    waivers: Sequence[Waiver] = (),
    as_of: dt.date | None = None,
    max_rows: int = 5,
) -> GateSummary:
    """Blocking rules first, then waived, then warnings by count; `max_rows` rows of each."""
    spoken = [result for result in results if result.outcome != "pass"]
    spoken.sort(key=lambda result: (_ORDER[result.outcome], -result.n_failing, result.rule_id))
    n_fail = sum(result.outcome in BLOCKING for result in results)
    return GateSummary(
        outcome="fail" if n_fail else "pass",
        n_rules=len(results),
        n_pass=sum(result.outcome == "pass" for result in results),
        n_warn=sum(result.outcome == "warn" for result in results),
        n_waived=sum(result.outcome == "waived" for result in results),
        n_fail=n_fail,
        lines=tuple(_line(result, max_rows) for result in spoken),
        expired_waivers=expired_waivers(tuple(waivers), as_of) if as_of else (),
    )


def _line(result: RuleResult, max_rows: int) -> RuleLine:
    first = result.rows[:max_rows]
    return RuleLine(
        rule_id=result.rule_id,
        outcome=result.outcome,
        scope=result.scope,
        n_failing=result.n_failing,
        text_zh=result.text_zh,
        text_en=result.text_en,
        message=result.message,
        waiver_id=result.waiver_id,
        first_rows=first,
        n_more=max(result.n_failing - len(first), 0),
    )
