"""What the documentation shows is what a real night gives: its output, its SQL, its picture."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest
from nights import CHECKOUT, Night, run_night

from exports.query import run_sql

_PAGES = sorted([*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").glob("*.md")])


def shown_after(page: str, mark: str) -> list[str]:
    """Lines of the block that follows a comment."""
    text = (CHECKOUT / page).read_text(encoding="utf-8")
    found = re.search(rf"<!-- {re.escape(mark)} -->\n```text\n(.*?)^```", text, re.S | re.M)
    assert found, f"{page}: nothing is shown as {mark}"
    return found.group(1).splitlines()


def assert_said(lines: list[str], said: str) -> None:
    """Each line stands in the output, in this order; `…` stands for what changes from night to night."""
    rest = [line.rstrip() for line in said.splitlines()]
    for line in lines:
        pattern = re.compile(".+".join(map(re.escape, line.split("…"))))
        while rest and not pattern.fullmatch(rest[0]):
            rest.pop(0)
        assert rest, f"the night did not say: {line}"
        rest.pop(0)


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_readme_shows_what_a_night_says(clean: Night, page: str) -> None:
    assert_said(shown_after(page, "output of make run"), clean.said)


def test_the_readme_shows_every_line_that_a_night_says(clean: Night) -> None:
    assert len(shown_after("README.md", "output of make run")) == len(clean.said.strip().splitlines())


def test_the_readme_shows_what_a_night_without_news_says(clean: Night) -> None:
    again = run_night(clean.home)
    assert again.code == 0
    assert again.facts["outcome"] == "nothing_new"
    assert_said(shown_after("README.md", "output of a second make run"), again.said)


_SQL = [
    pytest.param(sql, id=f"{page.stem}-{number}")
    for page in _PAGES
    for number, sql in enumerate(
        re.findall(r"^```sql\n(.*?)^```", page.read_text(encoding="utf-8"), re.S | re.M)
        + re.findall(r'tancang sql "(select [^"]+)"', page.read_text(encoding="utf-8"))
    )
    if "…" not in sql
]


@pytest.mark.parametrize("sql", _SQL)
def test_sql_in_the_documentation_runs(clean: Night, sql: str) -> None:
    result = run_sql(clean.release / "inventory.duckdb", sql)
    assert result.columns
    if "is_balanced" not in sql:  # the one query whose answer ought to be empty
        assert result.rows


def test_the_picture_is_drawn_from_the_release(clean: Night) -> None:
    place = CHECKOUT / "docs" / "draw_figure_traced.py"
    spec = importlib.util.spec_from_file_location("draw_figure_traced", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["draw_figure_traced"] = module
    spec.loader.exec_module(module)
    drawn = module.draw(module.trace(clean.home))
    shown = (CHECKOUT / "docs" / "figure-traced.svg").read_text(encoding="utf-8")
    assert drawn == shown, "run docs/draw_figure_traced.py with a home that holds a release of the example"
    assert Path(place).is_file()
