"""Bills that carry names instead of codes: sure ones count, the others wait for a line, and undo restores everything."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from nights import CHECKOUT, TANCANG, Night, run_night

from examples.district.generator.identity import credit_code

IDS = [credit_code("12", 500_000 + serial) for serial in range(4)]
REGISTER = f"""统一社会信用代码,单位名称,单位类型代码,行政区划代码,地址,生效日期
{IDS[0]},青浦区第一小学,0211,310118102,松青路20号,2015-01-01
{IDS[1]},青浦区第二小学,0211,310118103,松青路二〇二号,2015-01-01
{IDS[2]},练塘镇中心小学,0211,310118103,章练路1号,2015-01-01
{IDS[3]},朱家角镇中心小学,0211,310118102,珠溪路1号,2015-01-01
"""
BILLS = """户名,用电地址,电量
青浦一小,松青路20号,1000
青浦区第二小学,,2000
中心小学,,4000
"""
LAYOUT = """\
id: bills.2021
title: {zh: 电费清单, en: power bills}
source: direct_report
target: values
form: NY201
edition: "2020"
kind: delimited
recognise: {columns: [户名, 用电地址]}
tables:
  - institution_found_by: [institution_name, address]
    fields:
      institution_name: {column: 户名}
      address: {column: 用电地址, optional: true}
      year: {constant: "2021", kind: integer}
      period_kind: {constant: year}
      period_index: {constant: "0", kind: integer}
      task_state: {constant: "7"}
      release_number: {constant: "1", kind: integer}
    values:
      - {columns: 电量, item: "110", unit: {constant: kWh}}
"""


def queue(home: Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        [TANCANG, "queue", "--home", str(home), "--json"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)["matches"]
    return found


def amounts(night: Night) -> list[tuple[str, str, int]]:
    return night.published(
        "select institution_id, institution_name, electricity_kwh::integer from published.institution_year order by all"
    )


@dataclass(frozen=True)
class Turn:
    """What one night published, and what waited after it."""

    published: list[tuple[str, str, int]]
    waiting: list[dict[str, Any]]
    matched: list[tuple[object, ...]]


def turn(home: Path) -> Turn:
    night = run_night(home)
    assert night.code == 0, night.said[-2000:]
    matched = night.warehouse("select * exclude (file_id) from raw.matches order by row_number")
    return Turn(amounts(night), queue(home), matched)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("matched")
    for path, text in (
        ("landing/registers/register.csv", REGISTER),
        ("landing/direct_report/bills.csv", BILLS),
        ("layouts/bills.yml", LAYOUT),
    ):
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text(text, encoding="utf-8")
    profile = (CHECKOUT / "examples" / "district" / "profile.yml").read_text(encoding="utf-8")
    (home / "profiles").mkdir()
    (home / "profiles" / "district.yml").write_text(profile.split("published_figures:")[0], encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def first(home: Path) -> Turn:
    return turn(home)


def test_sure_rows_count_under_the_key_of_the_register_and_the_other_waits(first: Turn) -> None:
    assert first.published == sorted([(IDS[0], "青浦区第一小学", 1000), (IDS[1], "青浦区第二小学", 2000)])
    (row,) = first.waiting
    assert (row["said_name"], row["file"], row["row_number"]) == ("中心小学", "matches.yml", 4)
    assert {row["institution_id"], row["rivals"][0]["institution_id"]} == set(IDS[2:])
    assert row["line"].startswith('- {"source": "direct_report", "name": "中心小学", "means": ""')


@pytest.mark.slow
def test_one_line_settles_it_and_without_the_line_everything_is_as_before(home: Path, first: Turn) -> None:
    line = first.waiting[0]["line"]
    for empty, given in (("means", IDS[3]), ("reason", "电话核实"), ("reviewer", "王")):
        line = line.replace(f'"{empty}": ""', f'"{empty}": "{given}"')
    (home / "matches.yml").write_text(line + "\n", encoding="utf-8")
    settled = turn(home)
    assert settled.published == sorted([*first.published, (IDS[3], "朱家角镇中心小学", 4000)])
    assert settled.waiting == []
    (home / "matches.yml").unlink()
    assert turn(home) == first
