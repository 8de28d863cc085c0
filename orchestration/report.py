"""What a night says to the person who started it. Words and tables only; nothing is decided here."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestion.contracts.messages import Message

if TYPE_CHECKING:
    from rich.console import Console

    from orchestration.night import Night
    from quality.summary import GateSummary, RuleLine


class Teller:
    """Prints in the chosen language; `both` prints Chinese, then English."""

    def __init__(self, language: str, *, to_stderr: bool = False) -> None:
        self.language = language
        self._to_stderr = to_stderr

    @cached_property
    def console(self) -> Console:
        """Made when something is printed in colour: a command that answers at once need not wait for it."""
        from rich.console import Console

        console = Console(stderr=self._to_stderr, highlight=False, soft_wrap=True)
        if not console.is_terminal:
            console.width = 160
        return console

    def text(self, zh: str, en: str) -> str:
        return {"zh": zh, "en": en}.get(self.language, f"{zh} / {en}")

    def say(self, zh: str, en: str, style: str | None = None) -> None:
        self.console.print(self.text(zh, en), style=style, markup=False)

    def message(self, message: Message, style: str | None = None) -> None:
        self.say(message.zh, message.en, style)

    def plain(self, text: str, style: str | None = None) -> None:
        self.console.print(text, style=style, markup=False)


def headline(teller: Teller, night: Night, database: Path) -> list[dict[str, Any]]:
    """The headline figures beside the ones that the region's own report prints; returned for --json."""
    from rich.table import Table

    from exports.headline import headline_figures

    profile = night.declarations.profile
    printed = [
        {"indicator": f.indicator, "year": f.year, "value": str(f.value), "unit": f.unit, "source": f.source}
        for f in profile.published_figures
    ]
    rows = headline_figures(database, profile.region, printed, profile.method.coal_basis)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name, side in (
        (teller.text("指标", "figure"), "left"),
        (teller.text("年", "year"), "right"),
        (teller.text("本库", "ours"), "right"),
        (teller.text("报告", "report"), "right"),
        ("", "left"),
        (teller.text("单位", "unit"), "left"),
    ):
        table.add_column(name, justify=side, no_wrap=True)  # type: ignore[arg-type]
    for row in rows:
        mark = "" if row.printed is None else ("=" if row.is_equal else "≠")
        name = (
            row.name_zh
            if teller.language == "zh"
            else (row.indicator if teller.language == "en" else f"{row.name_zh} {row.indicator}")
        )
        table.add_row(name, str(row.year), row.ours or "–", row.printed or "–", mark, row.unit)
    teller.console.print(table)
    return [
        {"indicator": r.indicator, "year": r.year, "ours": r.ours, "printed": r.printed, "unit": r.unit}
        for r in rows
    ]


_STATUS_ZH = {"confirmed": "已确认", "unconfirmed": "未经确认", "convention": "自定", "definition": "定义"}


def method_and_factors(teller: Teller, database: Path) -> dict[str, Any]:
    """The method of accounting and how many factors are unconfirmed, in two lines; returned for --json."""
    from exports.foundations import foundations

    found = foundations(database)
    name = f"{found.document} {found.document_no}"
    teller.say(
        f"核算方法: {name} ({_STATUS_ZH.get(found.status, found.status)}: {found.evidence})",
        f"method of accounting: {name} ({found.status}: {found.evidence})",
    )
    teller.say(
        f"所用因子与系数 {found.n_factors_used} 条, 其中 {found.n_factors_unconfirmed} 条的出处未经确认, 见 factor_used 表",
        f"{found.n_factors_used} factors and coefficients used, {found.n_factors_unconfirmed} without a confirmed source: table factor_used",
    )
    return {
        "method": name,
        "method_status": found.status,
        "factors_used": found.n_factors_used,
        "factors_unconfirmed": found.n_factors_unconfirmed,
    }


def findings(teller: Teller, summary: GateSummary) -> None:
    """Failed rules with their first rows, then waived and warned ones in a line each."""
    words = {
        "fail": ("不通过", "FAIL"),
        "broken": ("检查损坏", "CHECK BROKEN"),
        "warn": ("提醒", "warn"),
        "waived": ("豁免", "waived"),
    }
    for line in summary.lines:
        is_bad = line.outcome in ("fail", "broken")
        teller.plain(
            f"  [{teller.text(*words[line.outcome])}] {line.rule_id} ({line.n_failing})  {teller.text(line.text_zh, line.text_en)}",
            style="red" if is_bad else "yellow",
        )
        if is_bad:
            _rows(teller, line)
    for waiver in summary.expired_waivers:
        teller.say(
            f"  豁免已到期: {waiver.rule} ({waiver.expires_on})",
            f"waiver has run out: {waiver.rule} ({waiver.expires_on})",
            "yellow",
        )


def _rows(teller: Teller, line: RuleLine) -> None:
    if line.message:
        teller.plain(f"      {line.message}")
    for row in line.first_rows:
        place = row.cell or (f"line {row.line}" if row.line else None)
        where = " · ".join(str(part) for part in (row.path, row.sheet, place) if part) or row.row_key or ""
        found = teller.text(f"发现 {row.found}", f"found {row.found}") if row.found else ""
        expected = teller.text(f"应为 {row.expected}", f"expected {row.expected}") if row.expected else ""
        teller.plain(f"      {where}: " + "; ".join(part for part in (found, expected) if part))
    if line.n_more:
        teller.say(f"      另有 {line.n_more} 行", f"{line.n_more} more rows")


def refused_files(teller: Teller, rows: list[tuple[str, str, str, str, str]]) -> None:
    """(path, reason zh, reason en, mend zh, mend en) of files that could not be used."""
    for path, reason_zh, reason_en, mend_zh, mend_en in rows:
        teller.plain(f"  ✗ {path}", style="yellow")
        teller.say(f"      {reason_zh}; {mend_zh}", f"{reason_en}; {mend_en}")
