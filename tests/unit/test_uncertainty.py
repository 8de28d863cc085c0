"""Uncertainty of emissions (definition 20): worked by hand, shared rows, order and threads, both approaches side by side."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from pydantic import ValidationError

from benchmarks import scratch
from ingestion.contracts.profile import NamedUncertainty

YEARS = (2020, 2021)
GRID = {2020: "EL-2020", 2021: "EL-2021"}
MODELS = (
    "core_emission_term", "core_institution_uncertainty", "core_region_emission_term",
    "core_region_uncertainty_cause", "emission_uncertainty", "uncertainty_cause",
)  # fmt: skip
Activity = tuple[str, int, str, str, str]
"""Institution, year, carrier, emission row, tCO2."""
Statement = tuple[int, str, str, str, bool]
"""Year, chain of rows, tCO2e, half-width of the amount in tCO2e, whether it is given off elsewhere: a line of an inventory of R."""

_TABLES = """
create schema core; create schema marts; create schema raw; create schema staging; set search_path = 'core,marts';
create table core_institution (institution_id_scheme varchar, institution_id varchar, year integer,
    region_code varchar, months_reported integer, year_starts_on date, boundary_changed_on date);
create table core_region_path (region_code varchar, ancestor_code varchar, is_ancestor_in_scope boolean,
    valid_from date, valid_to date);
create table core_activity (institution_id_scheme varchar, institution_id varchar, year integer, carrier varchar,
    base_carrier varchar, emission_kind varchar, emission_factor_id varchar, conversion_id varchar,
    emissions_tco2 decimal(38,12), is_in_energy_total boolean, is_deducted boolean, frozen_factor_id varchar,
    emissions_frozen_tco2 decimal(38,12), return_kind varchar);
create table staging.stg_control__build as select 2020 as base_year;
create table core_carrier_factor (year integer, carrier varchar, purpose varchar, factor_id varchar, conversion_id varchar);
create table core_inventory_gas (region_code varchar, year integer, inventory_scope varchar, is_indirect boolean,
    factor_chain varchar, emissions_tco2e decimal(38,12), activity_minus_squared decimal(38,18),
    activity_plus_squared decimal(38,18), is_activity_known boolean, missing_reason varchar, is_in_basket boolean);
create table core_uncertainty (subject_kind varchar, subject_key varchar, minus_pct decimal(18,8),
    plus_pct decimal(18,8), distribution varchar);
insert into core_region_path (region_code, ancestor_code, is_ancestor_in_scope) values
    ('T1', 'T1', true), ('T1', 'R', true), ('T2', 'T2', true), ('T2', 'R', true), ('R', 'R', true);
"""
_KINDS = {"electricity": "electricity", "heat": "heat"}
_INTERVALS = [
    ("activity", "reported electricity", "2", "2"),
    ("activity", "reported natural_gas", "2", "2"),
    ("activity", "reported gasoline", "5", "5"),
    ("factor", "EL-2020", "10", "10"),
    ("factor", "EL-2021", "10", "10"),
    ("factor", "EL", "10", "10"),
    ("factor", "NG", "3.2", "3.9"),
    ("factor", "GA", "5", "5"),
    ("factor", "CV", "3", "4"),
]


def world(
    activities: Iterable[Activity],
    intervals: Sequence[tuple[str, str, str, str]] = _INTERVALS,
    threads: int = 2,
    region: str = "T1",
    inventory: Iterable[Statement] = (),
) -> duckdb.DuckDBPyConnection:
    """Institutions of one town with the models of uncertainty built over them."""
    con = duckdb.connect(config={"threads": threads})
    con.execute(_TABLES)
    rows = list(activities)
    for institution, year in dict.fromkeys((row[0], row[1]) for row in rows):
        con.execute(
            "insert into core_institution by name select 'x' as institution_id_scheme, ? as institution_id, ? as year,"
            " ? as region_code, 12 as months_reported",
            [institution, year, region],
        )
    if rows:
        con.executemany(
            "insert into core_activity values ('x', ?, ?, ?, ?, ?, ?, ?, ?, true, false, null, null, 'annual')",
            [
                (who, year, carrier, carrier, _KINDS.get(carrier, "direct"), *chain(row), amount)
                for who, year, carrier, row, amount in rows
            ],
        )
    for year, chain_of, tco2e, half, is_indirect in inventory:
        con.execute(
            "insert into core_inventory_gas values ('R', ?, 'district', ?, ?, ?, ?, ?, true, null, true)",
            [year, is_indirect, chain_of, tco2e, Decimal(half) ** 2, Decimal(half) ** 2],
        )
    if intervals:
        con.executemany("insert into core_uncertainty values (?, ?, ?, ?, 'normal')", intervals)
    scratch.build(con, MODELS)
    return con


def chain(row: str) -> tuple[str, str | None]:
    factor, _, conversion = row.partition(" x ")
    return factor, conversion or None


def total(con: duckdb.DuckDBPyConnection, region: str = "R", year: int = 2021, columns: str = "*") -> Any:
    return con.execute(
        f"""select {columns} from emission_uncertainty where region_code = ? and year = ?
        and population = 'reported' and figure = 'emissions_total_tco2'""",
        [region, year],
    ).fetchall()[0]


HALVES = "figure_tco2::double - figure_low_tco2, figure_high_tco2 - figure_tco2::double"


def test_a_region_worked_by_hand() -> None:
    """Two institutions buy 600 and 400 t worth of electricity, one burns 500 t worth of gas.

    Activity first, by row: electricity sqrt((2 % x 600)^2 + (2 % x 400)^2), squared 144 + 64 = 208; gas 10^2 = 100.
    Each row once: electricity 10 % x 1000 = 100, squared 10 000; gas 3.2 % x 500 = 16 (256) below, 3.9 % = 19.5 (380.25) above.
    Rows last: minus sqrt(208 + 100 + 10 000 + 256) = sqrt(10 564), plus sqrt(208 + 100 + 10 000 + 380.25) = sqrt(10 688.25).
    """
    con = world(
        [
            ("a", 2021, "electricity", "EL", "600"),
            ("b", 2021, "electricity", "EL", "400"),
            ("b", 2021, "natural_gas", "NG", "500"),
        ]
    )
    low, high, minus, plus, state = total(
        con, columns="figure_low_tco2, figure_high_tco2, figure_minus_pct, figure_plus_pct, uncertainty_state"
    )
    assert low == pytest.approx(1500 - math.sqrt(10564), rel=1e-12)
    assert high == pytest.approx(1500 + math.sqrt(10688.25), rel=1e-12)
    assert minus == pytest.approx(math.sqrt(10564) / 15, rel=1e-12)
    assert plus == pytest.approx(math.sqrt(10688.25) / 15, rel=1e-12)
    assert state == "computed"
    # institution b: 2 % and 10 % of 400, 2 % and 3.2 % or 3.9 % of 500: 64 + 1600 + 100 + 256 = 2020, or 2144.25
    halves = con.execute(
        "select minus_tco2, plus_tco2 from core_institution_uncertainty where institution_id = 'b'"
    ).fetchall()
    assert halves == [
        (pytest.approx(math.sqrt(2020), rel=1e-12), pytest.approx(math.sqrt(2144.25), rel=1e-12))
    ]


INVENTORY: list[Statement] = [
    (2021, "RICE", "600", "30", False),
    (2021, "CLINKER x KILN", "1000", "20", False),
    (2021, "CLINKER", "-200", "10", False),
    (2021, "EL", "500", "25", True),
    (2020, "RICE", "640", "32", False),
]
INVENTORY_INTERVALS = [
    ("factor", "RICE", "8", "8"), ("factor", "CLINKER", "6", "6"), ("factor", "KILN", "3", "3"), ("factor", "EL", "10", "10"),
]  # fmt: skip


def test_an_inventory_worked_by_hand() -> None:
    """600 t of rice at 8 %, 1000 t at 6 % and 3 %, 200 t taken up at the same 6 %: amounts 30, 20 and 10 t.

    Rice 48; the shared row errs once, at 6 % of 1000 - 200 = 48; the other row 30: 900 + 400 + 100 + 2304 + 2304 + 900. Power
    bought adds 25 and 50 to the total and nothing to what is given off here. The change of rice: 8 % of 40 t, amounts 30 and 32.
    """
    con = world([], INVENTORY_INTERVALS, inventory=INVENTORY)
    found = {
        figure: (total_, low, high, change)
        for figure, total_, low, high, change in con.execute(
            """select figure, figure_tco2, figure_low_tco2, figure_high_tco2, figure_change_high_tco2 - figure_change_tco2::double
            from emission_uncertainty where population = 'inventory' and year = 2021"""
        ).fetchall()
    }
    half = math.sqrt(900 + 400 + 100 + 2304 + 2304 + 900)
    amount, low, high, change = found["inventory_direct_tco2e"]
    assert (amount, low, high) == (1400, pytest.approx(1400 - half), pytest.approx(1400 + half))
    assert change == pytest.approx(math.sqrt(900 + 400 + 100 + 2304 + 900 + 32**2 + 3.2**2))
    assert found["inventory_total_tco2e"][:3] == (
        1900,
        pytest.approx(1900 - math.sqrt(half**2 + 625 + 2500)),
        pytest.approx(1900 + math.sqrt(half**2 + 625 + 2500)),
    )


def test_a_conversion_is_a_row_that_errs_once_too() -> None:
    """1000 t of gas bought in kWh: 2 % of the amount (400), 3.2 or 3.9 % of the factor (1024, 1521), 3 or 4 % of the
    heating value (900, 1600), which a second buyer shares."""
    con = world([("a", 2021, "natural_gas", "NG x CV", "600"), ("b", 2021, "natural_gas", "NG x CV", "400")])
    amounts = 12**2 + 8**2
    assert total(con, columns=HALVES) == (
        pytest.approx(math.sqrt(amounts + 1024 + 900), rel=1e-12),
        pytest.approx(math.sqrt(amounts + 1521 + 1600), rel=1e-12),
    )


@pytest.mark.parametrize("n", [1, 100, 400])
def test_a_shared_grid_factor_does_not_vanish_in_a_large_region(n: int) -> None:
    """n institutions of 10 t each: 10 % of the sum from the row, whatever n; 2 % / sqrt(n) from the amounts.

    The same numbers with a row for each institution would fall with the root of n: that is not how a grid factor errs.
    """
    shared = world([(f"i{i}", 2021, "electricity", "EL", "10") for i in range(n)])
    minus, _ = total(shared, columns=HALVES)
    assert minus / (10 * n) == pytest.approx(math.sqrt(0.1**2 + 0.02**2 / n), rel=1e-12)
    own_rows = [("factor", f"EL{i}", "10", "10") for i in range(n)]
    independent = world(
        [(f"i{i}", 2021, "electricity", f"EL{i}", "10") for i in range(n)], [*_INTERVALS, *own_rows]
    )
    apart, _ = total(independent, columns=HALVES)
    assert apart / (10 * n) == pytest.approx(math.sqrt((0.1**2 + 0.02**2) / n), rel=1e-12)
    assert n == 1 or minus > 0.9 * math.sqrt(n) * apart


def test_a_row_that_two_years_share_errs_once_in_their_change() -> None:
    """1100 t before, 1000 t now.

    One row for both: 10 % of the difference, 100; amounts 2 % of each, 22^2 + 20^2 = 884: sqrt(100 + 884).
    A row for each year: 10 % of each, 110^2 + 100^2 = 22 100: sqrt(22 100 + 884), five times as wide.
    """
    columns = (
        "figure_change_tco2, figure_change_tco2 - figure_change_low_tco2, "
        "figure_change_high_tco2 - figure_change_tco2, figure_change_high_tco2"
    )
    amounts = {2020: "1100", 2021: "1000"}
    one = world([("a", year, "electricity", "EL", amounts[year]) for year in YEARS])
    change, minus, plus, high = total(one, columns=columns)
    assert change == Decimal(-100)
    assert (minus, plus) == (pytest.approx(math.sqrt(984)), pytest.approx(math.sqrt(984)))
    assert high < 0, "a fall that is certain, though each year may be 10 % off"
    two = world([("a", year, "electricity", GRID[year], amounts[year]) for year in YEARS])
    _, minus, _, high = total(two, columns=columns)
    assert minus == pytest.approx(math.sqrt(22984))
    assert high > 0
    assert total(one, year=2020, columns="figure_change_tco2") == (None,)


def test_sides_change_places_where_less_is_touched() -> None:
    """Gas falls from 1000 to 400 t: a row that is 3.9 % too low makes the fall 3.9 % of 600 t larger."""
    con = world([("a", 2020, "natural_gas", "NG", "1000"), ("a", 2021, "natural_gas", "NG", "400")])
    amounts = 20**2 + 8**2
    minus, plus = total(
        con,
        columns="figure_change_tco2 - figure_change_low_tco2, figure_change_high_tco2 - figure_change_tco2",
    )
    assert minus == pytest.approx(math.sqrt(amounts + (0.039 * 600) ** 2))
    assert plus == pytest.approx(math.sqrt(amounts + (0.032 * 600) ** 2))


def test_what_has_no_interval_leaves_bounds_unknown_and_is_named_first() -> None:
    without_gas = [item for item in _INTERVALS if item[1] != "NG"]
    con = world([("a", 2021, "electricity", "EL", "600"), ("b", 2021, "natural_gas", "NG", "1")], without_gas)
    columns = "figure_low_tco2, figure_high_tco2, uncertainty_state"
    assert total(con, columns=columns) == (None, None, "factor_uncertainty_missing")
    causes = con.execute(
        """select rank_number, cause_kind, factor_id, cause_minus_tco2, variance_share from uncertainty_cause
        where region_code = 'R' and figure = 'emissions_total_tco2' and aspect = 'level' order by 1 limit 1"""
    ).fetchall()
    assert causes == [(1, "factor", "NG", None, None)]
    electricity = con.execute(
        "select uncertainty_state from emission_uncertainty where figure = 'emissions_electricity_tco2'"
    ).fetchall()
    assert {state for (state,) in electricity} == {"computed"}, "what does not touch it is not spoiled"
    no_meter = [item for item in _INTERVALS if item[1] != "reported natural_gas"]
    con = world([("b", 2021, "natural_gas", "NG", "1")], no_meter)
    assert total(con, columns=columns) == (None, None, "activity_uncertainty_missing")
    nothing_used = world([("b", 2021, "natural_gas", "NG", "0")], [])
    assert total(nothing_used, columns=columns) == (0, 0, "computed")


def test_emissions_are_never_said_to_be_less_than_nothing() -> None:
    wide = [("activity", "reported electricity", "80", "80"), ("factor", "EL", "90", "900")]
    con = world([("a", 2021, "electricity", "EL", "100")], wide)
    low, high, state = total(con, columns="figure_low_tco2, figure_high_tco2, uncertainty_state")
    assert (low, state) == (0, "low_cut_at_zero")
    assert high == pytest.approx(100 + math.hypot(80, 900))


def test_power_passed_on_errs_like_power_bought() -> None:
    """900 t bought, 100 t passed on at the same row: the row errs on 800 t, the amounts on 900 and on 100 t."""
    con = world([("a", 2021, "electricity", "EL", "900"), ("b", 2021, "natural_gas", "NG", "1")])
    con.execute(
        """insert into core_activity values ('x', 'a', 2021, 'electricity_passed_on', 'electricity', 'electricity', 'EL',
        null, 100, false, true, null, null, 'annual'),
        ('x', 'b', 2021, 'heat_passed_on', 'heat', 'heat', 'EL', null, 7, false, true, null, null, 'annual')"""
    )
    con.execute("insert into core_uncertainty values ('activity', 'reported heat', 2, 2, 'normal')")
    scratch.build(con, MODELS)
    of_kind = con.execute(
        f"""select figure, figure_tco2, {HALVES} from emission_uncertainty
        where region_code = 'R' and population = 'reported' and figure like 'emissions_e%'"""
    ).fetchall()
    half = pytest.approx(math.sqrt(18**2 + 2**2 + 80**2))
    assert of_kind == [("emissions_electricity_tco2", Decimal(800), half, half)]
    assert total(con, columns="figure_tco2") == (Decimal(800 + 1 - 7),), (
        "heat passed on and none bought: no heat figure"
    )


def test_frozen_figures_err_by_the_rows_of_the_base_year() -> None:
    """1100 t, then 1000 t at a row for each year; 880 and 800 t at the one row of the base year.

    Moving: sqrt(110^2 + 100^2 + 22^2 + 20^2). Frozen: the row errs once on the 80 t, 8; the amounts 17.6 and 16.
    Where one amount has no row in the base year there is no frozen figure, and the moving one stands.
    """
    amounts = {2020: "1100", 2021: "1000"}
    con = world([("a", year, "electricity", GRID[year], amounts[year]) for year in YEARS])
    con.execute("update core_activity set frozen_factor_id = 'EL', emissions_frozen_tco2 = 0.8 * emissions_tco2")
    scratch.build(con, MODELS)
    halves = con.execute(
        """select figure, figure_change_tco2, figure_change_high_tco2 - figure_change_tco2 from emission_uncertainty
        where region_code = 'R' and year = 2021 and population = 'reported' order by figure"""
    ).fetchall()
    moving, frozen = pytest.approx(math.sqrt(22984)), pytest.approx(math.sqrt(8**2 + 17.6**2 + 16**2))
    assert halves == [
        ("emissions_electricity_frozen_tco2", Decimal(-80), frozen),
        ("emissions_electricity_tco2", Decimal(-100), moving),
        ("emissions_total_frozen_tco2", Decimal(-80), frozen),
        ("emissions_total_tco2", Decimal(-100), moving),
    ]
    con.execute("update core_activity set emissions_frozen_tco2 = null where year = 2021")
    scratch.build(con, MODELS)
    left = con.execute("select distinct figure from emission_uncertainty where year = 2021").fetchall()
    assert {figure for (figure,) in left} == {"emissions_electricity_tco2", "emissions_total_tco2"}


def test_causes_add_up_and_stand_in_order() -> None:
    con = world(
        [
            ("a", 2021, "electricity", "EL", "600"),
            ("b", 2021, "gasoline", "GA", "100"),
            ("b", 2021, "natural_gas", "NG", "500"),
        ]
    )
    causes = con.execute(
        """select cause_kind, factor_id, cause_minus_tco2, cause_plus_tco2, variance_share, touched_tco2
        from uncertainty_cause where region_code = 'R' and figure = 'emissions_total_tco2' and aspect = 'level'
        and population = 'reported' order by rank_number"""
    ).fetchall()
    assert [cause[:2] for cause in causes[:3]] == [("factor", "EL"), ("factor", "NG"), ("activity", "EL")]
    assert sum(cause[4] for cause in causes) == pytest.approx(1, abs=1e-12)
    minus, plus = total(con, columns=HALVES)
    assert math.sqrt(sum(cause[2] ** 2 for cause in causes)) == pytest.approx(minus, rel=1e-9)
    assert math.sqrt(sum(cause[3] ** 2 for cause in causes)) == pytest.approx(plus, rel=1e-9)
    assert {cause[5] for cause in causes if cause[1] == "EL"} == {Decimal(600)}


def many(seed: int, n: int = 300) -> list[Activity]:
    chooser = random.Random(seed)
    rows = {"electricity": "EL", "natural_gas": "NG", "gasoline": "GA"}
    found = []
    for i in range(n):
        for year in YEARS:
            for carrier, row in rows.items():
                amount = chooser.lognormvariate(3, 1.5) * (1 if carrier == "electricity" else 0.3)
                found.append((f"i{i}", year, carrier, row, f"{amount:.12f}"))
    return found


def test_order_and_threads_do_not_move_a_digit() -> None:
    activities = many(1, 120)
    published = "select * from emission_uncertainty order by all"
    first = world(activities, threads=1).execute(published).fetchall()
    shuffled = activities[:]
    random.Random(2).shuffle(shuffled)
    assert world(shuffled, threads=4).execute(published).fetchall() == first
    assert {row[3] for row in first} == {
        "emissions_total_tco2",
        "emissions_direct_tco2",
        "emissions_electricity_tco2",
    }


def test_a_profile_names_one_thing_and_says_its_source() -> None:
    NamedUncertainty(uncertainty_id="UN-AD-METER", minus_pct=1, plus_pct=1, source="class 1 meters")
    for wrong in (
        {"uncertainty_id": "UN-AD-METER", "factor_id": "EL"},
        {},
        {"factor_id": "EL", "minus_pct": 101},
        {"factor_id": "EL", "source": ""},
    ):
        with pytest.raises(ValidationError):
            NamedUncertainty.model_validate({"minus_pct": 1, "plus_pct": 1, "source": "x", **wrong})
