"""`tancang explain`: what a published figure is made of, as a tree for people or JSON for machines.

Belongs here: the words and the lines of the tree. What a figure is made of is exports' (`explain`), which reads the release
alone. Imports neither dagster nor dbt nor great_expectations.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

from exports.current import current_release
from exports.explain import Explainer, Explanation, Part, total_of_leaves
from exports.grounds import PARTS_RULE, FactorRow, RuleFound
from exports.query import QueryError, open_sandbox
from orchestration.report import Teller
from orchestration.settings import Settings

_OUTCOMES_ZH = {"pass": "通过", "warn": "提醒", "fail": "不通过", "waived": "豁免", "broken": "检查损坏"}


_SHOWN = (
    "institution_id", "institution_name", "building_code", "meter_id", "green_power_id", "category_code", "subject", "gas",
    "carrier", "form_code", "item_code", "period_kind", "period_number", "month_number",
)  # fmt: skip


def run(settings: Settings, figure: str, keys: list[str], top: int, *, as_json: bool) -> int:
    """Print the explanation of one figure of the current release; 0 also where the release has no value for it."""
    release = current_release(settings.paths.root)
    if release is None:
        raise QueryError(
            "尚无发布物可解释。请先运行 tancang nightly。",
            "there is no release to explain yet. Run tancang nightly first.",
        )
    with open_sandbox(release.database) as con:
        found = Explainer(con).explain(figure, keys, top)
    if as_json:
        print(json.dumps(asdict(found), ensure_ascii=False, indent=1, default=str))
        return 0
    teller = Teller(settings.lang)
    print(*tree(found, teller), sep="\n")
    return 0


def tree(found: Explanation, teller: Teller) -> Iterator[str]:
    """The lines of the tree, without colours: they are text of files, which may say anything."""
    keys = " ".join(printable(value) for value in found.keys.values())
    if found.value is None:
        yield f"{found.table}.{found.column}  {keys}: " + teller.text(
            "发布物中没有数值（空值）", "the release holds no value (null)"
        )
    else:
        yield f"{found.table}.{found.column}  {keys} = {found.value}"
        yield from _body(found, teller, "")
    yield from _factors(found.factors, teller)
    yield from _rules(found.rules, teller)
    yield teller.text(f"发布: {found.release_id}", f"release: {found.release_id}")


def printable(text: str) -> str:
    """Text of a file on one line: what would move the cursor or turn the writing is written out."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def _body(found: Explanation, teller: Teller, indent: str) -> Iterator[str]:
    if found.kind == "ratio" and len(found.sides) == 2:
        times = f" × {found.times_number}" if found.times_number not in (None, 1) else ""
        above, below = found.sides
        yield f"{indent}= {above.value} / {below.value}{times}"
        for side in found.sides:
            yield f"{indent}{side.table}.{side.column} = {side.value}"
            yield from _body(side, teller, indent)
        return
    if found.method:
        yield indent + teller.text(
            f"方法 {found.method['name']}: {found.method['zh']}",
            f"method {found.method['name']}: {found.method['en']}",
        )
        for name, value in found.inputs.items():
            yield f"{indent}  {name}" + (f" = {printable(value)}" if value is not None else "")
        if found.place:
            yield f"{indent}  {_where(Part('', {}, '', '', None, None, '0', place=found.place))}"
        return
    yield from _branches(found.parts, teller, indent)
    yield f"{indent}{teller.text('各项之和', 'sum of the parts')} = {total_of_leaves(found)}"


def _branches(parts: tuple[Part, ...], teller: Teller, indent: str) -> Iterator[str]:
    for number, part in enumerate(parts, start=1):
        is_last = number == len(parts)
        yield indent + ("└─ " if is_last else "├─ ") + _line(part, teller)
        yield from _branches(part.parts, teller, indent + ("   " if is_last else "│  "))


def _line(part: Part, teller: Teller) -> str:
    if part.n_others:
        others = teller.text(f"其余 {part.n_others} 项", f"{part.n_others} others")
        return f"{part.contribution}  {others}"
    unit = f" {part.unit}" if part.unit else ""
    said = [f"{part.contribution}{unit}", _name(part)]
    if part.times is not None:
        is_deducted = part.contribution.startswith("-") and not part.amount.startswith("-")
        said[0] = f"{part.contribution} = {'- ' if is_deducted else ''}{part.amount}{unit} × {part.times}"
    if part.place:
        said.append(_where(part))
    if part.factor_ids:
        said.append(f"[{', '.join(part.factor_ids)}]")
    return "  ".join(text for text in said if text)


def _name(part: Part) -> str:
    """What tells the part from its neighbours."""
    keys = part.keys
    shown = [name for name in _SHOWN if name in keys]
    if part.table == "lineage":
        shown = [name for name in shown if name not in ("institution_id", "carrier")]
    elif part.table == "activity":
        shown = [name for name in shown if name != "item_code"]
    return " ".join(printable(keys[name]) for name in shown)


def _where(part: Part) -> str:
    place = part.place
    if place is None:
        return ""
    at = place.cell or (f"line {place.row_number}" if place.row_number is not None else "")
    spot = " ".join(printable(text) for text in (place.path, place.sheet or "", at) if text)
    if place.value_text is None:
        return f"← {spot}"
    unit = f" {printable(place.unit_text)}" if place.unit_text else ""
    return f"← {spot}: «{printable(place.value_text)}»{unit}"


def _factors(factors: tuple[FactorRow, ...], teller: Teller) -> Iterator[str]:
    if factors:
        yield teller.text("因子与系数:", "factors and coefficients:")
    for row in factors:
        source = " ".join(text for text in (row.issuer, row.document, row.document_no) if text)
        yield f"  {row.factor_id} = {row.value} {row.unit or ''}  {teller.text(row.name_zh, row.name_en)}  {source} [{row.status}]"


def _rules(rules: tuple[RuleFound, ...], teller: Teller) -> Iterator[str]:
    if rules:
        yield teller.text("质量规则:", "quality rules:")
    named = [rule for rule in rules if rule.outcome != "pass" or rule.n_here or rule.rule_id == PARTS_RULE]
    for rule in named:
        outcome = teller.text(_OUTCOMES_ZH.get(rule.outcome, rule.outcome), rule.outcome)
        here = (
            teller.text(f"，本数字 {rule.n_here} 处", f", {rule.n_here} of this figure")
            if rule.n_here
            else ""
        )
        waiver = (
            teller.text(f"，豁免 {rule.waiver_id}", f", waiver {rule.waiver_id}") if rule.waiver_id else ""
        )
        yield f"  [{outcome}{here}{waiver}] {rule.rule_id}: {teller.text(rule.text_zh, rule.text_en)}"
    n_passed = len(rules) - len(named)
    if n_passed:
        yield "  " + teller.text(
            f"另有 {n_passed} 条有关规则通过", f"{n_passed} more rules about these tables pass"
        )
