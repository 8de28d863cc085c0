"""Waivers: a failing rule that two named persons accept until a date.

Here belongs reading and refusing waivers.yml of a home, and which waiver is active on a date. A waiver
changes no figure and never covers a ledger or balance rule; which rows it covers is counted by runner.py.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import unicodedata
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ingestion.contracts import yaml_text
from quality.catalogue import Catalogue
from quality.messages import QualityError

Text = Annotated[str, Field(pattern=r"\S")]


class WaiverFileError(QualityError):
    """waivers.yml cannot be used; the night stops rather than guess what was accepted."""


class Waiver(BaseModel):
    """One accepted failure. Without `scope` it covers every failing row of the rule."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    rule: Text
    scope: Text | None = None
    reason: Text
    evidence: Text
    owner: Text
    approved_by: Text
    expires_on: dt.date

    @model_validator(mode="after")
    def _two_persons(self) -> Waiver:
        if _same_name(self.owner) == _same_name(self.approved_by):
            raise ValueError("owner and approved_by are the same person")
        return self

    @property
    def waiver_id(self) -> str:
        """Readable and stable: the rule, the last day, and a few digits of everything else."""
        rest = "\n".join([self.scope or "", self.reason, self.evidence, self.owner, self.approved_by])
        return f"{self.rule}@{self.expires_on.isoformat()}#{hashlib.sha256(rest.encode()).hexdigest()[:6]}"

    @property
    def glob(self) -> str:
        return self.scope or "*"

    def is_active(self, as_of: dt.date) -> bool:
        return as_of <= self.expires_on


class _WaiverFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    waivers: list[Waiver] = Field(default_factory=list)


def load_waivers(path: Path, catalogue: Catalogue) -> tuple[Waiver, ...]:
    """Read waivers.yml (no file, no waivers); refuse one on a rule that is unknown or cannot be waived."""
    if not path.exists():
        return ()
    try:
        content: Any = yaml_text.parsed(path.read_text(encoding="utf-8"))
        waivers = _WaiverFile.model_validate(content if content is not None else {}).waivers
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        fault_zh, fault_en = _fault(error)
        raise WaiverFileError(
            f"豁免文件 {path.name} 无法使用：{fault_zh}。修正该条后重新运行。",
            f"waiver file {path.name} cannot be used: {fault_en}. Mend that entry and run again.",
        ) from error
    for number, waiver in enumerate(waivers, start=1):
        _check_rule(path, number, waiver, catalogue)
    return tuple(sorted(waivers, key=lambda waiver: waiver.waiver_id))


def active_waivers(waivers: tuple[Waiver, ...], rule_id: str, as_of: dt.date) -> tuple[Waiver, ...]:
    return tuple(waiver for waiver in waivers if waiver.rule == rule_id and waiver.is_active(as_of))


def expired_waivers(waivers: tuple[Waiver, ...], as_of: dt.date) -> tuple[Waiver, ...]:
    """Those that no longer hold the gate open; they are listed so that nobody wonders why it closed."""
    return tuple(waiver for waiver in waivers if not waiver.is_active(as_of))


def _check_rule(path: Path, number: int, waiver: Waiver, catalogue: Catalogue) -> None:
    where_zh, where_en = f"豁免文件 {path.name} 第 {number} 条", f"waiver file {path.name}, entry {number}"
    if waiver.rule not in catalogue.ids:
        raise WaiverFileError(
            f"{where_zh}：规则目录中没有 {waiver.rule}。请核对规则编号。",
            f"{where_en}: the catalogue has no rule {waiver.rule}. Check the rule's id.",
        )
    rule = catalogue.rule(waiver.rule)
    if not rule.is_waivable:
        raise WaiverFileError(
            f"{where_zh}：规则 {rule.id} 属于台账或平衡规则，不得豁免。请修正数据并删除该条。",
            f"{where_en}: ledger and balance rules such as {rule.id} cannot be waived. Mend the data.",
        )
    if rule.severity != "fail":
        raise WaiverFileError(
            f"{where_zh}：规则 {rule.id} 只作提示，不阻断发布，无需豁免。请删除该条。",
            f"{where_en}: {rule.id} only warns and blocks nothing; it needs no waiver. Drop the entry.",
        )


def _same_name(name: str) -> str:
    # full-width letters, case and blanks must not make one person two
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def _fault(error: Exception) -> tuple[str, str]:
    if not isinstance(error, ValidationError):
        line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        return f"不是可读的 YAML（{line}）", f"not readable YAML ({line})"
    fault = error.errors()[0]
    place = fault["loc"]
    number = place[1] + 1 if len(place) > 1 and isinstance(place[1], int) else None
    where_zh = f"第 {number} 条" if number else "文件"
    where_en = f"entry {number}" if number else "the file"
    named = ".".join(str(part) for part in (place[2:] if number else place))
    if "same person" in fault["msg"]:
        return f"{where_zh}的申请人与批准人是同一人", f"{where_en}: owner and approved_by are the same person"
    message = fault["msg"]
    return f"{where_zh}的 {named or '内容'}：{message}", f"{where_en}, {named or 'content'}: {message}"
