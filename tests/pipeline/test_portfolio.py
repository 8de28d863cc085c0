"""A property portfolio through the whole job: three kinds of files of the same nine buildings held against each other."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from nights import CHECKOUT, Night, run_night

DATA = CHECKOUT / "tests/data/property-portfolio"
LANDING = {
    "direct_report": [
        "covered_buildings_2019.xlsx",
        "covered_buildings_2020.xlsx",
        "covered_buildings_2021.xlsx",
    ],
    "metering": ["meter_readings_2023.xlsx", "meter_readings_unknown.xlsx"],
    "energy_audit": ["bills_upload.xlsx", "audit_21368.xml", "audit_21405_2019.xml", "audit_21405_2020.xml"],
}
PROFILE = """
id: portfolio
region: US-DC
regions:
  - {code: US-DC, name_zh: 华盛顿 (示例), name_en: Washington (sample), level: district}
"""


@pytest.fixture(scope="module")
def portfolio(homes: Path) -> Night:
    home = homes / "portfolio"
    (home / "profiles").mkdir(parents=True)
    (home / "profiles" / "portfolio.yml").write_text(PROFILE, encoding="utf-8")
    for source, names in LANDING.items():
        (home / "landing" / source).mkdir(parents=True)
        for name in names:
            shutil.copyfile(DATA / name, home / "landing" / source / name)
    return run_night(home, TANCANG_LAYOUTS=str(CHECKOUT / "examples" / "layouts"))


def test_the_changed_bills_are_found_and_named(portfolio: Night) -> None:
    compared = portfolio.warehouse("select count(*), count(metered_amount) from core.core_compared_bills")
    assert compared == [(579, 579)], "every bill has its reading"
    changed = portfolio.warehouse(
        """select building_code, meter_id, carrier, cast(starts_at as date)::varchar, sheet, cell,
            value_text::decimal(18, 1), reading_cell, reading_text::decimal(18, 1)
        from core.core_compared_bills where amount is distinct from metered_amount order by carrier, meter_id, starts_at"""
    )
    assert [(*row[:4], *map(str, (row[6], row[8]))) for row in changed] == [
        ("22178848", "139067334", "electricity", "2021-01-01", "88516.4", "376328.4"),
        ("22178849", "139067336", "electricity", "2021-01-01", "376328.4", "946203.6"),
        ("22178850", "139067346", "electricity", "2021-01-01", "946203.6", "95767.2"),
        ("22178843", "139179128", "heat", "2019-01-01", "3046884.0", "3159670.6"),
        ("22178843", "139179128", "heat", "2020-01-01", "1172149.9", "2153976.1"),
        ("22178843", "139179128", "heat", "2021-01-01", "3926349.8", "1546229.9"),
        ("22178848", "139067335", "natural_gas", "2019-01-01", "632200.0", "1068037.1"),
    ]
    electricity = [row[8] - row[6] for row in changed if row[2] == "electricity"]
    assert sum(electricity) == Decimal("7250.8")
    for row in changed:
        assert row[4].startswith("Add Bills-")
        assert row[5][0] == "I", "the cell of the bill"
        assert row[7][0] == "J", "the cell of the reading"


def test_each_changed_bill_is_a_finding_of_the_gate(portfolio: Night) -> None:
    found = portfolio.warehouse(
        "select outcome, n_failing from gate.quality_result where rule_id = 'bill_changed'"
    )
    assert found == [("warn", 7)]


def test_four_bills_of_unknown_types_and_units_are_quarantined(portfolio: Night) -> None:
    rows = portfolio.warehouse(
        "select cell, reason_code from raw.quarantine where source = 'metering' order by cell"
    )
    assert rows == [
        ("J10", "unknown_unit"),
        ("J11", "unknown_unit"),
        ("J12", "unknown_item_code"),
        ("J13", "unknown_item_code"),
    ]


def test_energy_copied_from_other_buildings_does_not_match_and_is_not_averaged(portfolio: Night) -> None:
    rows = portfolio.warehouse(
        """select building_code, year, carrier, amount::varchar, metered_amount::varchar, round(metered_difference_share, 3)
        from core.core_audit_meter_differences where carrier in ('electricity', 'natural_gas') order by 1, 2, 3"""
    )
    assert [row[:4] for row in rows] == [
        ("22178848", 2019, "electricity", "4031430.0000"),
        ("22178848", 2019, "natural_gas", "8105.8083"),
        ("22178848", 2020, "electricity", "4031430.0000"),
        ("22178848", 2020, "natural_gas", "8105.8083"),
        ("22178849", 2021, "electricity", "4406990.0000"),
    ]
    # a school's worth of laundry: 1.65 times the building's own electricity, a twentieth of its gas
    assert [row[5] for row in rows] == [1.653, -0.958, 1.659, -0.943, 0.326]
    found = portfolio.warehouse(
        "select outcome, n_failing from gate.quality_result where rule_id = 'audit_differs_from_meters'"
    )
    assert found == [("warn", 5)]


def test_the_night_is_published(portfolio: Night) -> None:
    assert portfolio.code == 0, portfolio.said[-3000:]
    rows = portfolio.published(
        "select year, floor_area_m2 from published.institution_year where institution_id = '22178845' order by year"
    )
    square_foot = Decimal("0.09290304")
    feet = {2019: 659773, 2020: 627655, 2021: 627655}
    assert rows == [(year, round(n * square_foot, 4)) for year, n in feet.items()]


def test_the_ledger_balances(portfolio: Night) -> None:
    assert portfolio.warehouse("select count(*) from marts.row_ledger where not is_balanced") == [(0,)]
