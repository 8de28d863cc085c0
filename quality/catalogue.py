"""The rule catalogue: one YAML entry per check, whichever tool runs it.

Here belongs what a rule *is* and how the entries are read and refused. How a rule is run stands in
runner.py (SQL, pandera, dbt) and checkpoint.py (Great Expectations); the SQL and every threshold stand in
rules/*.yml.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from decimal import Decimal
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ingestion.contracts import yaml_text
from quality.messages import QualityError

RULES_DIR = Path(__file__).parent / "rules"

Severity = Literal["fail", "warn"]
Tool = Literal["sql", "pandera", "dbt", "great_expectations"]
Param = bool | int | Decimal | dt.date | str | list[str]

# bound by the runner itself, never by an entry: as_of of the build, all reason codes that some pandera rule
# counts
RUNNER_PARAMS = frozenset({"as_of", "counted_reason_codes"})
_PARAM = re.compile(r"\$([a-z][a-z0-9_]*)")


class CatalogueError(QualityError):
    """The catalogue cannot be used; a night never runs on half a catalogue."""


class Rule(BaseModel):
    """One check. Exactly the fields of its tool may be given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
    severity: Severity
    scope: Annotated[str, Field(pattern=r"^[a-z_]+(\.[a-z_]+)?$")]
    tool: Tool
    text_zh: Annotated[str, Field(min_length=4)]
    text_en: Annotated[str, Field(min_length=8)]
    since: dt.date
    is_waivable: bool = True
    failing: str | None = None
    params: dict[str, Param] = Field(default_factory=dict)
    # parameter name -> key of the region profile; a key the profile lacks breaks the check instead of
    # passing it
    profile_params: dict[str, str] = Field(default_factory=dict)
    test: str | None = None
    reason_codes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _fields_fit_the_tool(self) -> Rule:
        wanted = {"sql": "failing", "dbt": "test", "pandera": "reason_codes"}.get(self.tool)
        # what pandera let through because a correction stands for it is counted beside the quarantine
        optional = {"failing"} if self.tool == "pandera" else set()
        for name in ("failing", "test", "reason_codes"):
            given = bool(getattr(self, name))
            if given != (name == wanted) and name not in optional:
                raise ValueError(f"tool {self.tool}: {name} {'must not be given' if given else 'is missing'}")
        if (self.params or self.profile_params) and self.failing is None:
            raise ValueError(f"tool {self.tool} without SQL takes no params")
        if self.failing is not None:
            used = self.used_params
            declared = set(self.params) | set(self.profile_params)
            if set(self.params) & set(self.profile_params) or declared & RUNNER_PARAMS:
                raise ValueError("a parameter is declared twice or takes a name of the runner's own")
            if unknown := used - declared - RUNNER_PARAMS:
                raise ValueError(f"SQL uses undeclared parameters: {', '.join(sorted(unknown))}")
            if unused := declared - used:
                raise ValueError(f"parameters that the SQL does not use: {', '.join(sorted(unused))}")
        return self

    @property
    def used_params(self) -> set[str]:
        return set(_PARAM.findall(self.failing or ""))


class Catalogue(BaseModel):
    """All rules in order of id, and the digest that a verdict is bound to."""

    model_config = ConfigDict(frozen=True)

    rules: tuple[Rule, ...]

    @cached_property
    def digest(self) -> str:
        canonical = [rule.model_dump(mode="json") for rule in self.rules]
        text = json.dumps(canonical, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(rule.id for rule in self.rules)

    @property
    def counted_reason_codes(self) -> list[str]:
        """Every quarantine reason that has a rule of its own."""
        return sorted({code for rule in self.rules for code in rule.reason_codes})

    def rule(self, rule_id: str) -> Rule:
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        raise KeyError(rule_id)

    def of_tool(self, *tools: Tool) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.tool in tools)


class _RuleFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    rules: list[dict[str, Any]] = Field(min_length=1)


def load_catalogue(folder: Path = RULES_DIR) -> Catalogue:
    """Read every rules/*.yml; refuse unknown keys, wrong types and an id that stands twice."""
    rules = _rules(tuple((path, _text(path)) for path in sorted(folder.glob("*.yml"))))
    if not rules:
        raise CatalogueError(
            f"规则目录 {folder.name} 中没有规则；没有规则的夜间任务不能发布。",
            f"there is no rule in {folder.name}; a night without rules cannot publish.",
        )
    return Catalogue(rules=rules)


@lru_cache(maxsize=4)
def _rules(texts: tuple[tuple[Path, str], ...]) -> tuple[Rule, ...]:
    """What the texts say, in order of id, once per text: every step of a night reads the files again."""
    rules: dict[str, Rule] = {}
    for path, text in texts:
        for entry in _entries(path, text):
            rule = _read_rule(path, entry)
            if rule.id in rules:
                raise CatalogueError(
                    f"规则 {rule.id} 在 {path.name} 中重复定义；每条规则只保留一处。",
                    f"rule {rule.id} in {path.name} is defined twice; keep one entry.",
                )
            rules[rule.id] = rule
    return tuple(rules[rule_id] for rule_id in sorted(rules))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error


def _entries(path: Path, text: str) -> list[dict[str, Any]]:
    try:
        return _RuleFile.model_validate(yaml_text.parsed(text)).rules
    except (yaml.YAMLError, ValidationError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> CatalogueError:
    return CatalogueError(
        f"规则文件 {path.name} 无法读取：{_first_line(error)}。应为 rules: 下的条目列表。",
        f"rule file {path.name} cannot be read: {_first_line(error)}. Expected a list under rules:.",
    )


def _read_rule(path: Path, entry: dict[str, Any]) -> Rule:
    try:
        return Rule.model_validate(entry)
    except ValidationError as error:
        name = entry.get("id", "?")
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'entry'}: {fault['msg']}"
            for fault in error.errors()
        )
        raise CatalogueError(
            f"规则文件 {path.name} 中的规则 {name} 不合格：{faults}。",
            f"rule {name} in {path.name} is refused: {faults}.",
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
