"""Writes the list of rules into docs/data-quality.md from the rule catalogue.

Belongs here: the list between the two marks. What a rule checks stands in quality/rules; the text around the
list is written by hand.

    .venv/bin/python docs/write_rules.py
"""

from __future__ import annotations

from pathlib import Path

from quality.catalogue import load_catalogue

TARGET = Path(__file__).parent / "data-quality.md"
BEGIN, END = "<!-- rules: written by docs/write_rules.py -->", "<!-- end of rules -->"


def rules() -> str:
    """The list, one row per rule, those that block first."""
    catalogue = load_catalogue()
    found = sorted(catalogue.rules, key=lambda rule: (rule.severity != "fail", rule.id))
    lines = [
        f"{len(found)} rules: {sum(rule.severity == 'fail' for rule in found)} `fail`, "
        f"{sum(rule.severity == 'warn' for rule in found)} `warn`.",
        "",
        "| rule | severity | waivable | tool | looks at | what holds when it passes |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{rule.id}` | {rule.severity} | {_waivable(rule.severity, rule.is_waivable)} | {rule.tool} | `{rule.scope}` | "
        f"{rule.text_en} / {rule.text_zh} |".replace("\n", " ")
        for rule in found
    ]
    return "\n".join(lines)


def _waivable(severity: str, is_waivable: bool) -> str:
    if severity == "warn":
        return "–"
    return "yes" if is_waivable else "no"


def page(text: str) -> str:
    """The page with the list renewed."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n\n{rules()}\n\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    TARGET.write_text(page(TARGET.read_text(encoding="utf-8")), encoding="utf-8")
    print(TARGET.name)
