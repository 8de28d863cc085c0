"""Files of a property portfolio, by layout files alone: meter entries, reports, bills and audits, to the digit."""

from __future__ import annotations

import csv
import datetime as dt
from decimal import Decimal
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from ingestion.account import Delivery
from ingestion.load import Loaded, Rules, load

DATA = Path("tests/data/property-portfolio")
SOURCES = {"meter_": "metering", "bills_": "energy_audit", "audit_": "energy_audit"}


@pytest.fixture(scope="module")
def read(rules: Rules, checkout: Path):  # type: ignore[no-untyped-def]
    """Any file of the folder, loaded once; every count must balance."""

    @cache
    def reading(name: str, source: str = "") -> Loaded:
        source = source or next(
            (s for start, s in SOURCES.items() if name.startswith(start)), "direct_report"
        )
        found = load(Delivery("f1", source, name), (checkout / DATA / name).read_bytes(), rules)
        for unit, n in found.counts.items():
            assert n["n_read"] == n["n_loaded"] + n["n_quarantined"] + n["n_ignored"], (name, unit, n)
        return found

    return reading


def total(rows: pl.DataFrame) -> Decimal:
    return sum((Decimal(text) for text in rows["number_text"]), Decimal(0))


def totals(rows: pl.DataFrame) -> dict[tuple[str, str], tuple[int, Decimal]]:
    """Count and sum by item and unit."""
    return {
        (str(item), str(unit)): (part.height, total(part))
        for (item, unit), part in rows.group_by("item_code", "unit_text")
    }


# ---------- meter entries


def test_meter_entries_of_nine_buildings(read) -> None:  # type: ignore[no-untyped-def]
    found = read("meter_readings_2023.xlsx")
    assert found.layout.id == "portfolio_meter_readings.2023"
    assert found.quarantine.height == 0
    assert found.rows["building_code"].n_unique() == 9
    assert totals(found.rows) == {
        ("01000", "kBtu(thousandBtu)"): (324, Decimal("189296723.6")),
        ("03000", "kBtu(thousandBtu)"): (252, Decimal("73320347.5")),
        ("04000", "kBtu(thousandBtu)"): (3, Decimal("6859876.6")),
    }


@pytest.mark.parametrize(
    ("building", "item", "by_year"),
    [
        ("22178843", "01000", "3982855.2 4448197.0 4263812.6"),
        ("22178843", "04000", "3159670.6 2153976.1 1546229.9"),
        ("22482007", "01000", "3036674.5 2648592.8 3242994.4"),
        ("22482007", "03000", "5603238.1 5284701.1 5100356.1"),
    ],
)
def test_meter_entries_by_building_and_year(read, building: str, item: str, by_year: str) -> None:  # type: ignore[no-untyped-def]
    rows = read("meter_readings_2023.xlsx").rows.filter(
        (pl.col("building_code") == building) & (pl.col("item_code") == item)
    )
    found = [total(rows.filter(pl.col("starts_at").dt.year() == year)) for year in (2019, 2020, 2021)]
    assert found == [Decimal(text) for text in by_year.split()]


def test_a_bill_holds_its_last_day_and_ids_are_no_floats(read) -> None:  # type: ignore[no-untyped-def]
    rows = read("meter_readings_2023.xlsx").rows
    first = rows.select("building_code", "meter_id", "starts_at", "ends_at").row(0)
    assert first == ("22178843", "139067318", dt.datetime(2019, 1, 1), dt.datetime(2019, 2, 1))
    steam = rows.filter(pl.col("item_code") == "04000").select("starts_at", "ends_at")
    assert steam.row(0) == (dt.datetime(2019, 1, 1), dt.datetime(2020, 1, 1)), "a whole year in one bill"


def test_meter_entries_between_empty_sheets(read) -> None:  # type: ignore[no-untyped-def]
    found = read("meter_readings_2019.xlsx")
    assert found.layout.id == "portfolio_meter_readings.2019"
    assert (found.rows.height, found.rows["building_code"].n_unique()) == (88, 3)
    assert totals(found.rows) == {
        ("01000", "kBtu(thousandBtu)"): (14, Decimal("6928129.3")),
        ("01000", "kWh(thousandWatt-hours)"): (35, Decimal("388362.0")),
        ("03000", "kBtu(thousandBtu)"): (4, Decimal("1860226.2")),
        ("03000", "therms"): (35, Decimal("6423.0")),
    }
    assert found.rows["ends_at"][0] == dt.datetime(2016, 2, 1), "the day on which the next bill begins"


def test_unknown_types_and_units_are_quarantined_each_at_its_cell(read) -> None:  # type: ignore[no-untyped-def]
    found = read("meter_readings_unknown.xlsx")
    assert totals(found.rows) == {
        ("01000", "kBtu(thousandBtu)"): (3, Decimal("1300654.8")),
        ("03000", "kBtu(thousandBtu)"): (1, Decimal("496310.9")),
    }
    assert found.quarantine.select("sheet", "cell", "reason_code", "found").rows() == [
        ("Meter Entries", "J10", "unknown_unit", "SomeUnknownUnit"),
        ("Meter Entries", "J11", "unknown_unit", "SomeUnknownUnit"),
        ("Meter Entries", "J12", "unknown_item_code", "Some Unknown Type"),
        ("Meter Entries", "J13", "unknown_item_code", "Some Unknown Type"),
    ]


def test_a_thousand_btu_in_kwh(checkout: Path) -> None:
    path = checkout / "dbt_project/seeds/conversions/unit_conversions.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        rows = {row["unit_text"]: row for row in csv.DictReader(handle)}
    for unit in ("kBtu(thousandBtu)", "kBtu"):
        assert round(Decimal(rows[unit]["multiplier"]), 6) == Decimal("0.293071")
        assert "1055.05585262 J" in rows[unit]["note"]


# ---------- property reports


def test_the_property_report_with_what_is_quarantined(read, checkout: Path) -> None:  # type: ignore[no-untyped-def]
    with (checkout / DATA / "properties.csv").open(encoding="utf-8", newline="") as handle:
        lines = dict(enumerate(csv.DictReader(handle), 2))
    area, emissions = read("properties.csv"), read("properties.csv", "energy_audit")
    assert len(lines) == 512
    assert len({line["Property Id"] for line in lines.values()}) == 512
    for found in (area, emissions):
        assert found.quarantine.select("row_number", "reason_code", "found").rows() == [
            (2, "bad_year", "12/31/1880"),
            (513, "missing_year", None),
        ]
        assert found.rows["year"].unique().to_list() == [2010]
    ft2, ghg = "Property Floor Area (Buildings and Parking) (ft2)", "Total GHG Emissions (MtCO2e)"
    assert (lines[513][ft2], lines[513][ghg]) == ("", ""), "an address alone"
    set_aside = Decimal(lines[2][ft2].replace(",", ""))
    assert (area.rows.height, total(area.rows) + set_aside) == (510, Decimal("120393265"))
    assert total(emissions.rows) + Decimal(lines[2][ghg]) == Decimal("1305478.22")
    assert 512 - emissions.rows.height - 1 == 129


def test_covered_buildings_year_by_year(read) -> None:  # type: ignore[no-untyped-def]
    found = {year: read(f"covered_buildings_{year}.xlsx").rows for year in (2019, 2020, 2021)}
    assert [rows["year"].unique().to_list() for rows in found.values()] == [[2019], [2020], [2021]]
    metered = set(read("meter_readings_2023.xlsx").rows["building_code"])
    for rows in found.values():
        assert set(rows["institution_id"]) == metered, "only ids join: the names differ"
    changed = [
        dict(found[year].select("institution_id", "number_text").iter_rows())["22178845"] for year in found
    ]
    assert changed == ["659773", "627655", "627655"]


def test_a_header_that_stands_twice_is_refused_with_its_cells(read) -> None:  # type: ignore[no-untyped-def]
    refusal = read("property_list_header_twice.xlsx").refusal
    assert refusal.code == "header_twice"
    assert "“custom id 1” stands more than once: B1, C1" in refusal.reason.en
    assert "B1, C1" in refusal.reason.zh


def test_cells_without_a_header_are_quarantined_by_name(read) -> None:  # type: ignore[no-untyped-def]
    found = read("property_list_header_missing.xlsx")
    assert found.rows.height == 0
    assert found.quarantine.select("cell", "reason_code", "found").rows() == [
        ("B2", "cell_without_header", "1"),
        ("B3", "cell_without_header", "4"),
        ("B4", "cell_without_header", "6"),
    ]
    assert "a header above every cell" in found.quarantine["expected_en"][0]


# ---------- bills


def test_bills_of_the_upload_template(read) -> None:  # type: ignore[no-untyped-def]
    found = read("bills_upload.xlsx")
    assert found.layout.id == "portfolio_bills"
    assert totals(found.rows) == {
        ("electricity", "kBtu(thousandBtu)"): (324, Decimal("189289472.8")),
        ("natural_gas", "kBtu(thousandBtu)"): (252, Decimal("72884510.4")),
        ("heat", "kBtu(thousandBtu)"): (3, Decimal("8145383.7")),
    }
    assert found.quarantine.height == 0
    assert sorted(found.notes.select("note_code", "found").rows()) == [
        ("hidden_sheet_read", "Add Bills-Water"),
        ("unknown_sheet", "Add Bills-Delivery"),
        ("unknown_sheet", "Add Bills-On-Site"),
    ]


def test_monthly_use_of_a_report_is_read_month_by_month(read) -> None:  # type: ignore[no-untyped-def]
    found = read("monthly_usage.xlsx")
    assert found.layout.id == "portfolio_monthly_usage"
    columns = (
        "institution_id",
        "year",
        "period_kind",
        "period_index",
        "item_code",
        "number_text",
        "unit_text",
    )
    assert found.rows.select(columns).rows() == [
        ("4544232", 2016, "month", 1, "110", "85887.1", "kBtu"),
        ("4544232", 2016, "month", 2, "110", "175697.3", "kBtu"),
    ]
    assert total(found.rows) == Decimal("261584.4")


@pytest.mark.parametrize("source", ["direct_report", "registers", "energy_audit"])
def test_a_form_for_properties_without_ids_is_refused(read, source: str) -> None:  # type: ignore[no-untyped-def]
    """Its properties are told by names that no other file has: whoever joined them would guess."""
    found = read("properties_upload.xlsx", source)
    assert found.refusal is not None
    assert found.refusal.code == "unknown_layout"
    assert found.tables == {}


# ---------- audits as XML

SERIES = "Scenario[starts-with(ScenarioName, 'Audit Template Annual Summary')]/TimeSeriesData/TimeSeries"


@pytest.mark.parametrize(
    ("name", "expected", "n_steam"),
    [
        ("audit_21368.xml", [("22178849", 2021, "floor_area", "368315.0", "ft2"), ("22178849", 2021, "electricity", "4406990.0", "kWh")], 1),
        (
            "audit_21405_2019.xml",
            [
                ("22178848", 2019, "floor_area", "447442.0", "ft2"),
                ("22178848", 2019, "electricity", "4031430.0", "kWh"),
                ("22178848", 2019, "natural_gas", "2991.0", "therms"),
            ],
            1,
        ),
        (
            "audit_21405_2020.xml",
            [
                ("22178848", 2020, "floor_area", "447442.0", "ft2"),
                ("22178848", 2020, "electricity", "4031430.0", "kWh"),
                ("22178848", 2020, "natural_gas", "2991.0", "therms"),
            ],
            1,
        ),
        ("audit_example.xml", [("62", 2019, "floor_area", "200000.0", "ft2")], 0),
    ],
)  # fmt: skip
def test_audits_give_area_and_energy_with_units_joined_by_id(
    read, name: str, expected: list[tuple[object, ...]], n_steam: int
) -> None:  # type: ignore[no-untyped-def]
    found = read(name)
    assert found.layout.id == "building_sync"
    columns = ("institution_id", "year", "item_code", "number_text", "unit_text")
    assert found.rows.select(columns).rows() == expected
    # pounds of steam: thousands or millions is not said, so no unit is assumed
    assert found.quarantine.select("reason_code", "found").rows() == [("unknown_unit", "Mlbs")] * n_steam
    for cell in found.quarantine["cell"]:
        assert cell.startswith("(/BuildingSync/Facilities/Facility/Reports/Report/Scenarios/Scenario[")
        assert cell.endswith("/IntervalReading")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("audit_21368.xml", [("Install PV Panels on Roof", None, "35009.0"), ("Install New Direct Driven Exhaust Fans", None, "8710.0")]),
        ("audit_example.xml", [("Install high eff boiler", None, "15000.0"), ("Replace T8 with LED", "potential", "9000.0")]),
    ],
)  # fmt: skip
def test_measures_of_an_audit_have_what_their_package_saves(
    read, name: str, expected: list[tuple[object, ...]]
) -> None:  # type: ignore[no-untyped-def]
    found = read(name)
    measures = found.tables["measures"]
    columns = ("measure_name", "measure_status", "electricity_saving_text")
    assert measures.select(columns).rows() == expected
    assert set(measures["electricity_saving_unit"]) == {"kWh"}
    for counted in found.counts.values():
        assert counted["n_read"] == counted["n_loaded"] + counted["n_quarantined"] + counted["n_ignored"]


def test_a_measure_in_a_package_of_several_saves_nobody_knows_what(rules: Rules, checkout: Path) -> None:
    text = (checkout / DATA / "audit_21368.xml").read_text(encoding="utf-8")
    second = '<auc:MeasureID IDref="MeasureType-70339502620880"/>'
    both = text.replace("</auc:MeasureIDs>", f"{second}</auc:MeasureIDs>", 1)
    found = load(Delivery("f", "energy_audit", "audit_21368_2021.xml"), both.encode(), rules)
    assert found.tables["measures"]["electricity_saving_text"].to_list() == [None, "8710.0"]


def test_the_place_of_an_audit_cell_leads_back_to_it(read, checkout: Path) -> None:  # type: ignore[no-untyped-def]
    from lxml import etree

    found = read("audit_21368.xml")
    root = etree.parse(checkout / DATA / "audit_21368.xml").getroot()
    for element in root.iter("*"):
        element.tag = etree.QName(element).localname
    (cell,) = found.quarantine["cell"]
    assert [element.text for element in root.xpath(cell)] == ["5384.15625"]
