"""The catalogue refuses what it does not know, and the shipped one holds its own promises."""

from __future__ import annotations

from pathlib import Path

import pytest
from quality_scratch import catalogue, rule

from quality.catalogue import CatalogueError, load_catalogue

GOOD = """
rules:
  - id: one
    severity: warn
    scope: marts.thing
    tool: dbt
    text_zh: 一条规则在此
    text_en: one rule is here
    since: 2026-11-20
    test: assert_*
"""


def _load(folder: Path, text: str) -> None:
    (folder / "some.yml").write_text(text, encoding="utf-8")
    load_catalogue(folder)


def test_an_entry_is_read(tmp_path: Path) -> None:
    _load(tmp_path, GOOD)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("    test: assert_*", "    test: assert_*\n    colour: red"), "colour"),
        (("severity: warn", "severity: error"), "severity"),
        (("    test: assert_*\n", ""), "test"),
        (("    test: assert_*", "    test: assert_*\n    params: {limit: 3}"), "params"),
        (("    text_en: one rule is here\n", ""), "text_en"),
        (("id: one", "id: One rule"), "id"),
        (("tool: dbt", "tool: sql"), "failing"),
    ],
)
def test_a_bad_entry_is_refused_by_name(tmp_path: Path, change: tuple[str, str], named: str) -> None:
    with pytest.raises(CatalogueError) as refused:
        _load(tmp_path, GOOD.replace(*change))
    assert "some.yml" in refused.value.text.en
    assert named in refused.value.text.en
    assert named in refused.value.text.zh


def test_an_id_stands_once(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="twice"):
        _load(tmp_path, GOOD + GOOD.removeprefix("\nrules:\n"))


@pytest.mark.parametrize("text", ["", "rules: []", "rules: {a: 1}", "rules: [", "other: []"])
def test_a_file_that_is_no_list_of_rules_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(CatalogueError, match=r"some\.yml"):
        _load(tmp_path, text)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError):
        load_catalogue(tmp_path)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"failing": "select $limit"}, "undeclared"),
        ({"failing": "select 1", "params": {"limit": 3}}, "does not use"),
        ({"failing": "select $as_of", "params": {"as_of": 3}}, "runner"),
        ({"failing": "select $a", "params": {"a": 3}, "profile_params": {"a": "b"}}, "twice"),
    ],
)
def test_every_parameter_is_declared_once_and_used(fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        rule("one", **fields)


def test_the_digest_follows_every_field() -> None:
    before = catalogue(rule("one", failing="select $a", params={"a": 3})).digest
    assert before == catalogue(rule("one", failing="select $a", params={"a": 3})).digest
    assert before != catalogue(rule("one", failing="select $a", params={"a": 4})).digest
    assert before != catalogue(rule("one", failing="select $a", params={"a": 3}, severity="warn")).digest


def test_the_shipped_rules_paste_no_threshold_and_guard_what_must_not_be_waived() -> None:
    shipped = load_catalogue()
    balances = {one.id for one in shipped.rules if not one.is_waivable}
    assert {"row_ledger_balances", "ledger_read_independent", "region_sums_equal_parts"} <= balances
    for one in shipped.of_tool("sql"):
        # a number with a point, or a share, in the text of the SQL would be a threshold nobody can find
        assert not [
            word for word in (one.failing or "").split() if word.replace(".", "").isdigit() and "." in word
        ]
