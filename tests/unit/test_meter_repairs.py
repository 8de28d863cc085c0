"""One small world of meters with every fault that rules mend, from files to standing readings, repairs and months."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from benchmarks import scratch
from ingestion.layouts.files import load_layouts
from ingestion.load import Rules
from ingestion.reference import load_reference

FILES = ("days.csv", "hours.csv", "hours_late.csv", "registers.csv")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    data = Path(__file__).parents[1] / "data" / "meter_repairs"
    rules = Rules(load_layouts([data / "layouts"]), load_reference())
    landed = [scratch.Landed("metering", name, (data / name).read_bytes()) for name in FILES]
    with scratch.warehouse(landed, rules, tmp_path_factory.mktemp("world")) as con:
        scratch.build(con, scratch.REPAIRS)
        yield con


def hour(number: int) -> datetime:
    """The start of the n-th hour of the day."""
    return datetime(2021, 3, 1, number - 1)


def repaired(con: duckdb.DuckDBPyConnection, meter: str) -> list[tuple[Any, ...]]:
    return con.execute(
        "select starts_at, repair_code, raw_amount, repaired_amount, donor_code, donors from core.core_reading_repair "
        "where meter_id = ? order by starts_at",
        [meter],
    ).fetchall()


def test_every_line_is_loaded_as_it_was_read(world: duckdb.DuckDBPyConnection) -> None:
    counted = world.execute(
        "select path, n_read, n_loaded, n_quarantined, n_ignored from raw.file_counts join raw.files using (file_id) order by path"
    ).fetchall()
    assert counted == [
        ("days.csv", 61, 60, 0, 1),
        ("hours.csv", 15, 14, 0, 1),
        ("hours_late.csv", 3, 2, 0, 1),
        ("registers.csv", 7, 6, 0, 1),
    ]


def test_one_reading_stands_for_each_hour_the_newest_where_two_differ(
    world: duckdb.DuckDBPyConnection,
) -> None:
    standing = world.execute(
        "select starts_at, amount, multiplier from core.core_standing_reading where meter_id = 'H' order by starts_at"
    ).fetchall()
    amounts = {
        1: 10,
        2: -5,
        3: 16,
        4: 500,
        5: 20,
        6: 0,
        7: 26,
        9: 29,
        10: 33,
        11: 7,
        12: 7,
        13: 7,
        14: 9,
        24: 5,
    }
    assert standing == [(hour(number), Decimal(amount), Decimal(2)) for number, amount in amounts.items()]
    set_aside = world.execute(
        "select path, line, amount, reading_state, survivor_path, survivor_amount from core.core_repeated_readings order by line"
    ).fetchall()
    assert set_aside == [
        ("hours.csv", 2, Decimal(10), "superseded", "hours.csv", Decimal(10)),
        ("hours.csv", 10, Decimal(32), "superseded", "hours_late.csv", Decimal(33)),
    ]


def test_every_changed_hour_has_its_code_and_donors(world: duckdb.DuckDBPyConnection) -> None:
    def between(first: int, last: int) -> str:
        return f"2021-03-01 {first - 1:02d}:00; 2021-03-01 {last - 1:02d}:00"

    assert repaired(world, "H") == [
        (hour(2), "negative", Decimal(-5), Decimal(13), "linear", between(1, 3)),
        (hour(4), "impossible", Decimal(500), Decimal(18), "linear", between(3, 5)),
        (hour(6), "zero_for_missing", Decimal(0), Decimal(23), "linear", between(5, 7)),
        (hour(8), "gap", None, Decimal("27.5"), "linear", between(7, 9)),
        (hour(12), "stuck", Decimal(7), Decimal("7.6667"), "linear", between(11, 14)),
        (hour(13), "stuck", Decimal(7), Decimal("8.3333"), "linear", between(11, 14)),
    ]


def test_a_counter_goes_round_is_reset_and_over_five_months_is_neither(
    world: duckdb.DuckDBPyConnection,
) -> None:
    """(10,000 - 9,990 + 15) x 40 = 1,000; 4,985 x 40; 30 x 40; nothing is made up; (60 - 20) x 40."""
    steps = world.execute(
        "select month(starts_at), step_kind, amount from core.core_standing_step where meter_id = 'R' order by 1"
    ).fetchall()
    assert steps == [
        (1, "rollover", Decimal(1000)),
        (2, "step", Decimal(199400)),
        (3, "reset", Decimal(1200)),
        (4, "decrease_over_gap", None),
        (9, "step", Decimal(1600)),
    ]
    codes = [(row[1], row[2], row[3], row[4], row[5]) for row in repaired(world, "R")]
    assert codes == [
        ("rollover", None, Decimal(1000), "registers", "9990.0000; 15.0000"),
        ("reset", None, Decimal(1200), "registers", "5000.0000; 30.0000"),
    ]
    events = world.execute(
        "select event_kind, previous_path, previous_line, previous_amount, line, register_amount from core.core_register_events"
    ).fetchall()
    assert events == [("decrease_over_gap", "registers.csv", 5, Decimal(30), 6, Decimal(20))]


def test_months_hold_what_stands_with_what_was_repaired_beside_it(world: duckdb.DuckDBPyConnection) -> None:
    """Hours: 155 read and 97.5 repaired, twice. Days: 30 x 400 + 850 and 0.42, then 29 x 0.4 + 0.87."""
    months = world.execute(
        "select meter_id, month, reported_amount, repaired_amount from core.core_meter_month order by 1, 2"
    ).fetchall()
    assert months == [
        ("H", 3, Decimal(505), Decimal(195)),
        ("R", 1, Decimal(1000), Decimal(1000)),
        ("R", 2, Decimal(199400), Decimal(0)),
        ("R", 3, Decimal(1200), Decimal(1200)),
        *(("R", month, None, Decimal(0)) for month in range(4, 9)),
        ("R", 9, Decimal(1600), Decimal(0)),
        ("U", 5, Decimal("12850.42"), Decimal(0)),
        ("U", 6, Decimal("12.47"), Decimal(0)),
    ]


def test_a_unit_that_changes_midway_is_named_and_mended_by_nobody(world: duckdb.DuckDBPyConnection) -> None:
    found = world.execute(
        "select meter_id, resumed_on, is_fall, proposed_unit from core.core_meter_break"
    ).fetchall()
    assert found == [("U", date(2021, 5, 31), True, "MWh")]
    assert repaired(world, "U") == []
