"""Files that nobody here wrote, through the same job, by layout files only: their control totals to the digit."""

from __future__ import annotations

from decimal import Decimal

import pytest
from nights import Night

HOSPITALS = {
    "electricity": Decimal(2796386593),
    "natural_gas": Decimal(8186765194),
    "diesel": Decimal(129067391),
    "coal": Decimal(79563507),
    "heat": Decimal(169456365) + Decimal(33917118),
}
REGIONS = {
    "GB-LON": (36, Decimal(673064969)),
    "GB-MID": (73, Decimal(753276992)),
    "GB-NTH": (74, Decimal(758304707)),
    "GB-STH": (55, Decimal(611739925)),
}
METERS = {
    ("electricity", 2018): (131400, Decimal("34866915.8"), 230),
    ("electricity", 2019): (131400, Decimal("29764380.9"), 624),
    ("natural_gas", 2018): (131400, Decimal("6688443.7"), 32971),
    ("natural_gas", 2019): (131400, Decimal("1555776.3"), 35149),
}


def test_the_night_is_published(strangers: Night) -> None:
    assert strangers.code == 0, strangers.said[-3000:]


@pytest.mark.parametrize("carrier", list(HOSPITALS))
def test_hospital_energies_as_reported(strangers: Night, carrier: str) -> None:
    rows = strangers.warehouse(
        """select sum(reported_amount), min(reported_unit), max(reported_unit) from core.core_reported_amount
        where measure = 'amount' and carrier = ? and year = 2015""",
        carrier,
    )
    assert rows == [(HOSPITALS[carrier], "kWh", "kWh")]


def test_hospital_electricity_and_area_are_published_to_the_digit(strangers: Night) -> None:
    rows = strangers.published(
        "select sum(electricity_kwh), sum(floor_area_m2), count(*), min(year_starts_on), sum(heat_gj) from published.institution_year"
    )
    ((electricity, area, n, starts, heat),) = rows
    assert (electricity, area, n) == (Decimal(2796386593), Decimal(26813998), 238)
    assert starts.isoformat() == "2015-04-01"
    assert heat == HOSPITALS["heat"] * Decimal("0.0036")


@pytest.mark.parametrize("region", list(REGIONS))
def test_hospitals_by_region(strangers: Night, region: str) -> None:
    rows = strangers.published(
        """select n_institutions, electricity_kwh from published.region_year
        where region_code = ? and year = 2015 and population = 'reported'""",
        region,
    )
    assert rows == [REGIONS[region]]


@pytest.mark.parametrize(("carrier", "year"), list(METERS))
def test_university_meters(strangers: Night, carrier: str, year: int) -> None:
    n_rows, total, n_zero = METERS[carrier, year]
    item = {"electricity": "01000", "natural_gas": "03000"}[carrier]
    rows = strangers.warehouse(
        "select count(*), sum(amount), count(*) filter (where amount = 0) from raw.metering__readings where item_code = ? and year(starts_at) = ?",
        item,
        year,
    )
    assert rows == [(n_rows, total, n_zero)]
    if carrier == "electricity":
        assert strangers.published(
            "select sum(electricity_kwh) from published.building_year where year = ?", year
        ) == [(total,)]


@pytest.mark.parametrize(
    ("building", "year", "total"),
    [("b105", 2019, None), ("b0", 2018, Decimal("228829.2"))],
)
def test_single_series(strangers: Night, building: str, year: int, total: Decimal | None) -> None:
    ((found,),) = strangers.published(
        "select electricity_kwh from published.building_year where building_code = ? and year = ?",
        building,
        year,
    )
    assert found == total if total is not None else round(found) == 7432846


def test_floor_areas(strangers: Night) -> None:
    ((everything,),) = strangers.warehouse(
        "select sum(floor_area_text::decimal(18,1)) from raw.registers__buildings"
    )
    assert everything == Decimal("539373.6")
    ((metered,),) = strangers.published(
        "select sum(floor_area_m2) from published.building_year where year = 2018"
    )
    assert metered == Decimal("75879.3")


def test_what_is_not_split_is_not_guessed(strangers: Night) -> None:
    rows = strangers.published(
        """select count(*) from published.institution_year
        where diesel_l > 0 and (energy_building_equivalent_kgce is not null or building_energy_reason is null)"""
    )
    assert rows == [(0,)]
    assert strangers.published(
        "select count(*) > 100 from published.institution_year where diesel_l > 0"
    ) == [(True,)]
