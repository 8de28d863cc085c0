"""Files that came on several days in any order end in the same figures; what comes after a year was signed off is held."""

from __future__ import annotations

import random
import shutil
import subprocess
from datetime import date
from pathlib import Path

import duckdb
import pytest
from nights import TANCANG, Night, district_home, run_night

from ingestion import archive
from ingestion.contracts.home import Home

SIGNED_OFF = "- {year: 2021, frozen_on: 2026-07-15, reason: 已报区政府, reviewer: 示例负责人}\n"
LATE = "11310118YY1000003E"
TABLES = ("institution_year", "building_year", "region_year", "lineage", "inventory_year", "meter_alarm")
STATES = "period_state, period_state_reason"


def arrive(home: Path, days: list[date], seed: int) -> None:
    """Everything in landing is sealed over several days in an order of chance."""
    landing, later = home / "landing", home.parent / "later"
    files = sorted(path.relative_to(landing) for path in landing.rglob("*") if path.is_file())
    shutil.move(landing, later)
    random.Random(seed).shuffle(files)
    for number, day in enumerate(days):
        for path in files[number :: len(days)]:
            (landing / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(later / path, landing / path)
        assert archive.seal(Home(home), day)


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Night:
    """A year that was signed off in July; in November one of its returns comes again with another amount."""
    home = district_home(tmp_path_factory.mktemp("arrived"), "clean")
    arrive(home, [date(2026, 7, day) for day in (1, 5, 9)], seed=20260701)
    (home / "frozen.yml").write_text(SIGNED_OFF, encoding="utf-8")
    returns = home / "landing" / "direct_report" / "NY201_2021_f.csv"
    said = returns.read_text(encoding="utf-8-sig")
    assert said.count(",8.70065,") == 1
    returns.write_text(said.replace(",8.70065,", ",9.70065,"), encoding="utf-8-sig")
    return run_night(home)


def test_a_late_return_stops_nothing_and_is_proposed(late: Night) -> None:
    assert late.code == 0, late.said[-3000:]
    found = late.published(
        "select n_failing from published.quality_result where rule_id = 'restatement_proposed' and severity = 'warn'"
    )
    assert found[0][0] >= 1
    queue = subprocess.run([TANCANG, "queue", "--home", str(late.home)], capture_output=True, text=True)
    said = queue.stdout
    assert all(text in said for text in (LATE, "97006.5", "87006.5")), said


@pytest.mark.parametrize("name", TABLES)
def test_neither_the_order_of_arrival_nor_what_came_late_moves_a_figure(
    clean: Night, late: Night, name: str
) -> None:
    with duckdb.connect() as con:
        for alias, night in (("a", clean), ("b", late)):
            con.execute(f"attach '{night.release / 'inventory.duckdb'}' as {alias} (read_only)")
        columns = {column for column, *_ in con.execute(f"describe a.published.{name}").fetchall()}
        states = f"exclude ({STATES})" if set(STATES.split(", ")) <= columns else ""
        rows = f"select * {states} from {{}}.published.{name}"
        differing = con.execute(
            f"(({rows.format('a')}) except all ({rows.format('b')})) union all "
            f"(({rows.format('b')}) except all ({rows.format('a')}))"
        ).fetchall()
        n_rows = con.execute(f"select count(*) from a.published.{name}").fetchall()[0][0]
    assert n_rows > 0
    assert differing == []


def test_a_year_that_was_signed_off_says_so(late: Night) -> None:
    states = late.published(
        "select year, any_value(period_state), count(distinct period_state) from published.institution_year group by year order by year"
    )
    assert states == [(2020, "provisional", 1), (2021, "final", 1)]
