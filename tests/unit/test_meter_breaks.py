"""Meters that change their unit midway: on sixty files of a university, and on series made by hand."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from benchmarks import scratch
from ingestion.contracts.corrections import Correction
from ingestion.load import Rules
from orchestration.queue_command import meter_line
from quality.catalogue import load_catalogue
from quality.runner import evaluate

COLUMNS = "building_code, item_code, broke_on, is_fall, basis, break_ratio_id"
METERS = "examples/strangers/landing/metering/university-meters"


def broken(con: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    scratch.build(con, scratch.METERS)
    return con.execute(f"select {COLUMNS} from core.core_meter_break order by all").fetchall()


def landed(checkout: Path, pattern: str) -> list[scratch.Landed]:
    root = checkout / METERS
    return [
        scratch.Landed(
            "metering", f"university-meters/{path.relative_to(root).as_posix()}", path.read_bytes()
        )
        for path in sorted(root.glob(pattern))
    ]


@pytest.fixture
def university(checkout: Path, tmp_path: Path, rules: Rules) -> Callable[[str], duckdb.DuckDBPyConnection]:
    """The files as the layout would load them, straight into the raw table: half a million rows in a second."""

    def read(pattern: str) -> duckdb.DuckDBPyConnection:
        con = scratch.warehouse([], rules, tmp_path)
        con.execute("drop view raw.metering__readings")
        con.execute(
            """create table raw.metering__readings as
            select regexp_extract(filename, 'UCam_Building_.*') as file_id, row_number() over () as line, 2 as column_number,
                regexp_extract(filename, 'Building_(b[0-9]+)', 1) as building_code, null::varchar as meter_id,
                case when filename like '%/gas/%' then '03000' else '01000' end as item_code, 'interval' as reading_kind,
                starts_at, starts_at + interval 1 hour as ends_at, null::boolean as is_second_pass, amount,
                1::decimal(18,6) as multiplier,
                'kWh' as unit_text, null::decimal(18,4) as replaced_final, null::decimal(18,4) as replaced_start
            from read_csv(?, header = true, filename = true,
                columns = {'starts_at': 'timestamp', 'amount': 'decimal(18,4)'})""",
            [str(checkout / METERS / pattern)],
        )
        con.execute(
            "insert into raw.files (file_id, source, path) select distinct file_id, 'metering', file_id from raw.metering__readings"
        )
        return con

    return read


def test_of_thirty_meters_two_break_and_no_switched_off_heating_does(
    university: Callable[[str], duckdb.DuckDBPyConnection],
) -> None:
    """b40 falls on 11 May 2018, b0 on 19 January; b4, b16, b56 and b59 are switched off in summer."""
    with university("*/*/*.csv") as con:
        assert broken(con) == [
            ("b0", "03000", dt.date(2018, 1, 19), True, "year_on_year", "GAS-KWH-M3"),
            ("b40", "03000", dt.date(2018, 5, 11), True, "year_on_year", "GAS-FT3-M3"),
        ]
        assert con.execute(
            "select count(distinct file_id), count(*) from raw.metering__readings"
        ).fetchall() == [(60, 525600)]


@pytest.mark.parametrize("year", [2018, 2019])
def test_one_year_alone_calls_no_season_a_break(
    university: Callable[[str], duckdb.DuckDBPyConnection], year: int
) -> None:
    """Without a second year only a jump beyond any heating counts; b40's thirty is not told from one."""
    with university(f"*/*/{year}.csv") as con:
        assert broken(con) == []
        assert con.execute("select count(distinct file_id) from raw.metering__readings").fetchall() == [(30,)]


def test_the_line_of_the_queue_ends_the_break_and_breaks_a_mended_file(
    checkout: Path, tmp_path: Path, rules: Rules
) -> None:
    files = landed(checkout, "*b40/gas/*.csv")
    with scratch.warehouse(files, rules, tmp_path) as con:
        assert len(broken(con)) == 1
        result = con.execute("select * from core.core_meter_break")
        names = [column[0] for column in result.description or []]
        row = dict(zip(names, result.fetchall()[0], strict=True))
    (entry,) = yaml.safe_load(meter_line(row))
    assert (entry["building"], entry["starts_on"], entry["expect"], entry["unit"]) == (
        "b40",
        "2018-05-11",
        "kWh",
        "m3",
    )
    mend = Correction.model_validate({**entry, "reviewer": "王"})
    used = Rules(rules.layouts, rules.reference, [mend])
    with scratch.warehouse(files, used, tmp_path) as con:
        assert broken(con) == []
        assert unmatched(con) == []
        assert con.execute(
            "select max(n_applied) = count(*), min(starts_at)::date from raw.corrections, raw.metering__readings where raw.metering__readings.unit_text = 'm3'"
        ).fetchall() == [(True, dt.date(2018, 5, 11))]
    # once the sender has mended the file the same line breaks it, and the rule says so
    mended = [
        scratch.Landed(item.source, item.path, _times(item.content, 27.3, "2018-05-11")) for item in files
    ]
    with scratch.warehouse(mended, rules, tmp_path) as con:
        assert broken(con) == []
    with scratch.warehouse(mended, used, tmp_path) as con:
        assert [found[:4] for found in broken(con)] == [("b40", "03000", dt.date(2018, 5, 11), False)]
        assert unmatched(con) == [mend.id]


def unmatched(con: duckdb.DuckDBPyConnection) -> list[str]:
    catalogue = load_catalogue()
    rule = catalogue.rule("meter_correction_unmatched")
    result = evaluate(con, rule, catalogue, (), dt.date(2026, 1, 1))
    assert result.outcome != "broken", result.message
    return [row.row_key for row in result.rows]


START = dt.date(2020, 1, 1)
Series = Callable[[int], float]


@pytest.fixture
def made(tmp_path: Path, rules: Rules) -> Callable[[Series, int], list[tuple[Any, ...]]]:
    """Breaks of one hand-made meter of daily readings."""

    def find(amount: Series, n_days: int) -> list[tuple[Any, ...]]:
        with scratch.warehouse([], rules, tmp_path) as con:
            con.execute("drop view raw.metering__readings")
            con.execute(
                """create table raw.metering__readings (file_id varchar, line bigint, column_number integer,
                building_code varchar, meter_id varchar, item_code varchar, reading_kind varchar, starts_at timestamp,
                ends_at timestamp, is_second_pass boolean, amount decimal(18,4), multiplier decimal(18,6),
                unit_text varchar, replaced_final decimal(18,4), replaced_start decimal(18,4))"""
            )
            con.execute("insert into raw.files (file_id, source, path) values ('f', 'metering', 'm.csv')")
            rows = [
                ["f", n, 1, "B", "M", "03000", "interval", START + dt.timedelta(n), START + dt.timedelta(n + 1),
                 None, round(amount(n), 4), 1, "m3", None, None]
                for n in range(n_days)
            ]  # fmt: skip
            con.executemany(f"insert into raw.metering__readings values ({', '.join('?' * 15)})", rows)
            return broken(con)

    return find


def heated(n: int) -> float:
    """A heating that stops in summer, with a week's rhythm: 100 in winter, nothing from day 120 to 260."""
    day = n % 365
    return (
        0 if 120 <= day < 260 else (100 + 60 * math.cos(2 * math.pi * day / 365)) * (0.7 if n % 7 > 4 else 1)
    )


def test_a_step_is_found_in_either_year_up_and_down(
    made: Callable[[Series, int], list[tuple[Any, ...]]],
) -> None:
    first = made(lambda n: heated(n) * (1 if n < 40 else 0.001), 730)
    assert [found[2:4] for found in first] == [(START + dt.timedelta(40), True)]
    second = made(lambda n: heated(n) * (1 if n < 365 + 60 else 35.3), 730)
    assert [(*found[2:4], found[5]) for found in second] == [(START + dt.timedelta(425), False, "GAS-FT3-M3")]


def test_a_season_a_lean_year_and_a_fault_of_days_are_no_break(
    made: Callable[[Series, int], list[tuple[Any, ...]]],
) -> None:
    assert made(heated, 730) == []
    assert made(lambda n: heated(n) * (1 if n < 365 else 0.4), 730) == []
    assert made(lambda n: heated(n) * (0.001 if 50 <= n < 58 else 1), 730) == []
    assert made(heated, 300) == []


def test_a_series_of_one_year_must_jump_beyond_any_season(
    made: Callable[[Series, int], list[tuple[Any, ...]]],
) -> None:
    assert made(lambda n: 100 * (1 if n < 60 else 30), 200) == []
    found = made(lambda n: 100 * (1 if n < 60 else 1000), 200)
    assert [row[2:5] for row in found] == [(START + dt.timedelta(60), False, "level")]


def _times(content: bytes, factor: float, since: str) -> bytes:
    lines = content.decode().splitlines()
    moved = [
        f"{at},{float(value) * factor:.1f}" if at >= since else line
        for line in lines[1:]
        for at, value in [line.split(",")]
    ]
    return "\n".join([lines[0], *moved]).encode()
