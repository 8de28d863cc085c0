"""`tancang nightly`: is there anything to do, do it, say how it ended.

Dagster is imported only when there is something to do: a night without news must be over at once.
"""

from __future__ import annotations

import gc
import json
import time
from datetime import UTC, datetime
from typing import Any

from exports.current import CurrentRelease, current_release
from exports.manifest import verify
from orchestration import night as nights
from orchestration.fetch_command import fetch_feeds
from orchestration.history import append
from orchestration.report import Teller, findings, headline, method_and_factors, refused_files
from orchestration.settings import Settings

_YOUNG_OBJECTS = 50_000
"""Python's collector looks after so many new objects. Its own 700 suit a small program: the imports of a night make
a million objects that all stay, and looking through them again and again costs it four seconds."""


def run(settings: Settings, *, again: bool, as_json: bool) -> int:
    """One night. Returns the exit code: 0 published or nothing new, 1 otherwise."""
    teller = Teller(settings.lang, to_stderr=as_json)
    began = time.monotonic()
    gc.set_threshold(_YOUNG_OBJECTS)
    nights.hold(settings.paths)
    try:
        runs = fetch_feeds(settings, teller)
        night, fresh = nights.begin(settings)
        teller.say(
            f"{night.declarations.profile.root.name_zh} · 截止 {night.as_of} · 文件 {len(night.receipts)} (新 {len(fresh)})",
            f"{night.declarations.profile.root.name_en} · as of {night.as_of} · {len(night.receipts)} files ({len(fresh)} new)",
        )
        code, facts = (
            _nothing_new(teller, night) if nights.is_published(night) and not again else _work(teller, night)
        )
        facts["failed_feeds"] = [item.feed_id for item in runs if item.outcome == "failed"]
        _remember(night, facts, time.monotonic() - began)
    finally:
        nights.release_hold(settings.paths)
    if as_json:
        print(json.dumps(facts, ensure_ascii=False, indent=1, default=str))
    return code


def _nothing_new(teller: Teller, night: nights.Night) -> tuple[int, dict[str, Any]]:
    release = current_release(night.home.root)
    assert release is not None
    problems = verify(release.path)
    if problems:
        for problem in problems:
            teller.say(problem.text_zh, problem.text_en, "red")
        return 1, {"outcome": "damaged", "release_id": release.release_id}
    teller.say(
        "没有新内容: 文件, 声明与日历都与当前发布一致; 当前发布逐文件校验完好。",
        "nothing new: files, declarations and calendar are those of the current release, whose every file was verified.",
    )
    shown = _show(teller, night, release)
    return 0, {"outcome": "nothing_new", "release_id": release.release_id, **shown}


def _show(teller: Teller, night: nights.Night, release: CurrentRelease) -> dict[str, Any]:
    figures = headline(teller, night, release.database)
    method = method_and_factors(teller, release.database)
    teller.say(f"发布目录: {release.path}", f"release: {release.path}")
    return {"figures": figures, **method}


def _work(teller: Teller, night: nights.Night) -> tuple[int, dict[str, Any]]:
    from orchestration.run_night import gate_facts, run_job

    before = current_release(night.home.root)
    outcome = run_job(night.settings, "nightly")
    facts: dict[str, Any] = {"outcome": "error", "release_id": before.release_id if before else None}
    if outcome.gate_ran:
        summary, refused = gate_facts(night.settings)
        refused_files(teller, refused)
        findings(teller, summary)
        facts |= {
            "rules": summary.n_rules,
            "fail": summary.n_fail,
            "warn": summary.n_warn,
            "refused_files": [row[0] for row in refused],
            "failing": [line.rule_id for line in summary.lines if line.outcome in ("fail", "broken")],
        }
        if summary.n_fail:
            facts["outcome"] = "refused"
            teller.say(
                f"裁定: 不通过 ({summary.n_fail} 条规则)",
                f"verdict: FAIL ({summary.n_fail} rules)",
                "bold red",
            )
            teller.say(
                f"没有发布; 仍为 {before.release_id if before else '无'}",
                f"nothing was published; the current release is still {before.release_id if before else 'none'}",
            )
            return 1, facts
    if not outcome.is_success:
        teller.say(
            f"本夜在步骤 {outcome.failed_step} 失败: {outcome.error}",
            f"the night failed in step {outcome.failed_step}: {outcome.error}",
            "bold red",
        )
        return 1, facts
    release = current_release(night.home.root)
    assert release is not None
    teller.say(
        f"裁定: 通过 ({facts['rules']} 条规则, {facts['warn']} 条提醒)",
        f"verdict: PASS ({facts['rules']} rules, {facts['warn']} warnings)",
        "bold green",
    )
    shown = _show(teller, night, release)
    return 0, facts | {
        "outcome": "published",
        "release_id": release.release_id,
        "release": str(release.path),
        **shown,
    }


def _remember(night: nights.Night, facts: dict[str, Any], seconds: float) -> None:
    append(
        night.home.history,
        {
            "ended_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "as_of": night.as_of,
            "build_id": night.build_id,
            "outcome": facts["outcome"],
            "release_id": facts["release_id"],
            "seconds": round(seconds, 1),
        },
    )
