"""Yearly files that nobody here wrote, by layout files alone: control totals to the digit, every trap in its place."""

from __future__ import annotations

import csv
import io
from collections import Counter
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from ingestion.account import Delivery
from ingestion.load import Loaded, Rules, load

DATA = Path("tests/data")
ERIC_13 = DATA / "hospital-returns/ERIC-2013-14.csv"
ERIC_14 = DATA / "hospital-returns/ERIC-2014-15.csv"
ERIC_15 = Path("examples/strangers/landing/direct_report/hospital-returns/ERIC-2015-16.csv")
COLLEGES = DATA / "college-energy"
CALGARY = DATA / "calgary-buildings/Building_Energy_Benchmarking.csv"
SEATTLE = DATA / "seattle-buildings/2016_Building_Energy_Benchmarking.csv"
TORONTO = DATA / "toronto-operations/toronto_bps_2018.xlsx"
COMMUNITIES = DATA / "community-electricity/Xcel_activityData_2015_2023.csv"
DISCLOSURE = DATA / "building-disclosure/bca2025.csv"

LAYOUT_OF = {
    ("direct_report", ERIC_13): "hospital_returns.2013_14",
    ("direct_report", ERIC_14): "hospital_returns.2014_15",
    ("direct_report", ERIC_15): "hospital_returns.2015_16",
    ("direct_report", COLLEGES / "kankyo2020_energyinput.csv"): "college_energy.2020",
    ("energy_audit", COLLEGES / "kankyo2020_co2.csv"): "college_emissions.2020",
    ("energy_audit", COLLEGES / "kankyo2020_facilityarea.csv"): "college_floor_areas.2020",
    ("direct_report", CALGARY): "city_buildings.calgary",
    ("energy_audit", CALGARY): "city_buildings.calgary_stated",
    ("direct_report", SEATTLE): "city_buildings.seattle",
    ("energy_audit", SEATTLE): "city_buildings.seattle_stated",
    ("direct_report", TORONTO): "city_operations.toronto",
    ("energy_audit", TORONTO): "city_operations.toronto_stated",
    ("energy_audit", COMMUNITIES): "community_electricity.2023",
    ("energy_audit", DISCLOSURE): "building_disclosure.2024",
}
QUARANTINED = {
    ("direct_report", ERIC_13): {("bad_region_code", "record"): 5},
    ("direct_report", ERIC_14): {("bad_region_code", "record"): 5, ("cell_without_header", "record"): 1},
    ("direct_report", SEATTLE): {("negative_amount", "cell"): 1},
    ("energy_audit", SEATTLE): {("negative_amount", "cell"): 1},
    ("direct_report", TORONTO): {("unknown_unit", "cell"): 3},
    ("energy_audit", COMMUNITIES): {("not_a_number", "cell"): 2 * 134},
    ("energy_audit", DISCLOSURE): {("cell_without_header", "record"): 64},
}
SHIFTED = ("RF4", "RRF", "RRP", "RX3", "RX4")
Read = dict[tuple[str, Path], Loaded]


@pytest.fixture(scope="module")
def files(rules: Rules, checkout: Path) -> Read:
    """Every file of this module, loaded once, under a name that says nothing."""
    return {
        (source, path): load(
            Delivery("f1", source, f"delivery{path.suffix}"), (checkout / path).read_bytes(), rules
        )
        for source, path in LAYOUT_OF
    }


def number(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def total(rows: pl.DataFrame, item: str | None = None, column: int | None = None) -> Decimal:
    if item is not None:
        rows = rows.filter(pl.col("item_code") == item)
    if column is not None:
        rows = rows.filter(pl.col("column_number") == column)
    return sum((Decimal(text) for text in rows["number_text"]), Decimal(0))


def by_line(rows: pl.DataFrame, item: str) -> dict[int, Decimal]:
    chosen = rows.filter(pl.col("item_code") == item)
    assert chosen["row_number"].is_unique().all()
    return {line: Decimal(text) for line, text in chosen.select("row_number", "number_text").iter_rows()}


@pytest.mark.parametrize("key", list(LAYOUT_OF), ids=lambda key: f"{key[0]}-{key[1].stem}")
def test_one_layout_reads_it_and_nothing_is_lost(files: Read, key: tuple[str, Path]) -> None:
    found = files[key]
    assert found.refusal is None
    assert found.layout is not None
    assert found.layout.id == LAYOUT_OF[key]
    assert found.counts
    for n in found.counts.values():
        assert n["n_read"] == n["n_loaded"] + n["n_quarantined"] + n["n_ignored"]
    assert found.notes.height == 0, "every column is read or ignored by name"
    why = Counter(found.quarantine.select("reason_code", "unit").iter_rows())
    assert why == QUARANTINED.get(key, {})
    assert found.rows["unit_text"].null_count() == 0


# ---------- hospital returns, three editions

HOSPITAL_COLUMNS = {
    "101": ("Gross internal site floor area (m²)",),
    "110": ("Electricity consumed - utility (kWh)",),
    "140": ("Gas consumed - utility (kWh)",),
    "160": ("Oil consumed - utility (kWh)",),
    "130": ("Coal consumed - utility (kWh)",),
    "170": ("Steam consumed - local (kWh)", "Hot water consumed - local (kWh)"),
}
HOSPITALS = {
    ERIC_13: "26145622 2893959157 8056773698 131661903 84735925 140562120 29531857",
    ERIC_14: "26341165 2681953793 7886517672 120129511 84251030 56762655 29159853",
    ERIC_15: "26813998 2796386593 8186765194 129067391 79563507 169456365 33917118",
}


@pytest.mark.parametrize("path", [ERIC_13, ERIC_14], ids=["2013-14", "2014-15"])
def test_hospitals_loaded_and_quarantined_lines_make_the_total(
    files: Read, checkout: Path, path: Path
) -> None:
    found = files["direct_report", path]
    lines = list(csv.reader(io.StringIO((checkout / path).read_text(encoding="utf-8")), delimiter="$"))
    outside = {line: lines[line - 1] for line in found.quarantine["row_number"]}
    expected = dict(
        zip(("101", "110", "140", "160", "130", "steam", "hot water"), HOSPITALS[path].split(), strict=True)
    )
    names = {item: columns[0] for item, columns in HOSPITAL_COLUMNS.items() if item != "170"}
    names |= dict(zip(("steam", "hot water"), HOSPITAL_COLUMNS["170"], strict=True))
    for item, name in names.items():
        column = lines[1].index(name)
        kept_out = sum((Decimal(cells[column]) for cells in outside.values()), Decimal(0))
        assert total(found.rows, column=column + 1) + kept_out == Decimal(expected[item]), name
    codes = {cells[0] for cells in outside.values()}
    assert codes == set(SHIFTED) | ({"RR8"} if path == ERIC_14 else set())
    shifted = [cells for cells in outside.values() if cells[0] in SHIFTED]
    column = lines[1].index(names["110"])
    electricity = {ERIC_13: Decimal(48742886), ERIC_14: Decimal(48065830)}[path]
    assert sum((Decimal(cells[column]) for cells in shifted), Decimal(0)) == electricity
    where = found.quarantine.filter(pl.col("reason_code") == "bad_region_code")
    assert all(text.endswith("NHS TRUST") or text.endswith("NHS FOUNDATION TRUST") for text in where["found"])


def test_a_cell_beyond_the_last_column_is_named(files: Read) -> None:
    found = files["direct_report", ERIC_14].quarantine.filter(pl.col("reason_code") == "cell_without_header")
    assert found.select("row_number", "cell", "found").rows() == [(138, "GL138", "0")]


def test_a_trust_without_values_is_loaded_without_values(files: Read) -> None:
    found = files["direct_report", ERIC_14]
    assert found.rows.filter(pl.col("institution_id") == "RP6").height == 0
    assert found.counts["record"]["n_loaded"] == 241 - 6
    assert 122 in found.records["row_number"].to_list()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        # London and North without the shifted lines: two trusts of London, three of the North
        (ERIC_13, {"GB-MID": (75, 836038120), "GB-STH": (62, 670988184)}),
        (
            ERIC_15,
            {
                "GB-LON": (36, 673064969),
                "GB-MID": (73, 753276992),
                "GB-NTH": (74, 758304707),
                "GB-STH": (55, 611739925),
            },
        ),
    ],
    ids=["2013-14", "2015-16"],
)
def test_hospitals_by_region(files: Read, path: Path, expected: dict[str, tuple[int, int]]) -> None:
    rows = files["direct_report", path].rows.filter(pl.col("item_code") == "110")
    for region, (n, kwh) in expected.items():
        part = rows.filter(pl.col("region_code") == region)
        assert (part.height, total(part)) == (n, Decimal(kwh))


def test_regions_of_2013_14_after_the_quarantined_lines_are_put_back(files: Read) -> None:
    rows = files["direct_report", ERIC_13].rows.filter(pl.col("item_code") == "110")
    back = {
        "GB-LON": {"RF4": 0, "RRP": 6034909},
        "GB-NTH": {"RRF": 15819596, "RX3": 12505631, "RX4": 14382750},
    }
    repaired = {"GB-LON": (39, 600543175), "GB-NTH": (75, 786389678)}
    for region, (n, kwh) in repaired.items():
        part = rows.filter(pl.col("region_code") == region)
        added = back[region].values()
        assert (part.height + len(added), total(part) + sum(added)) == (n, Decimal(kwh))


def test_the_newest_edition_needs_no_repair(files: Read) -> None:
    rows = files["direct_report", ERIC_15].rows
    area, power, gas, oil, coal, steam, hot = (Decimal(text) for text in HOSPITALS[ERIC_15].split())
    expected = {"101": area, "110": power, "140": gas, "160": oil, "130": coal, "170": steam + hot}
    assert {item: total(rows, item) for item in expected} == expected


def test_the_editions_stand_side_by_side(files: Read) -> None:
    years = [
        files["direct_report", path].rows.select("year", "year_starts_on", "edition").unique().rows()
        for path in (ERIC_13, ERIC_14, ERIC_15)
    ]
    assert years == [
        [(2013, "04-01", "2013-14")],
        [(2014, "04-01", "2014-15")],
        [(2015, "04-01", "2015-16")],
    ]


# ---------- colleges

COLLEGE_TOTALS = {
    ("direct_report", "kankyo2020_energyinput.csv"): (665148, 208622, 211798, 118157, 11689),
    ("energy_audit", "kankyo2020_co2.csv"): (34316, 10564, 11789, 7025),
    ("energy_audit", "kankyo2020_facilityarea.csv"): (1312634, 386851),
}


@pytest.mark.parametrize(("source", "name"), list(COLLEGE_TOTALS))
def test_colleges(files: Read, source: str, name: str) -> None:
    rows = files[source, COLLEGES / name].rows
    found = tuple(total(rows, column=column) for column in sorted(rows["column_number"].unique()))
    assert found == COLLEGE_TOTALS[source, name]
    assert rows.group_by("column_number").len()["len"].unique().to_list() == [56]


def test_the_three_files_of_the_colleges_join_without_loss(files: Read) -> None:
    campuses = [
        set(files[source, COLLEGES / name].rows.select("institution_id", "year").iter_rows())
        for source, name in COLLEGE_TOTALS
    ]
    assert len(campuses[0]) == 56
    assert campuses[0] == campuses[1] == campuses[2]


# ---------- Calgary

CALGARY_YEARS = {
    2019: (99, "837,892.7", "75,605.4", "61,984,130.3", "549,320.4", "469,746.7"),
    2020: (99, "731,769.8", "66,617.2", "55,220,968.0", "473,222.0", "469,746.7"),
    2021: (99, "768,821.5", "68,136.9", "54,369,448.8", "511,370.7", "469,746.7"),
    2022: (99, "837,387.0", "72,301.0", "63,374,197.0", "548,691.0", "469,751.0"),
    2023: (98, "907,370.0", "75,132.0", "61,996,035.0", "628,921.0", "468,772.0"),
}


@pytest.mark.parametrize("year", list(CALGARY_YEARS))
def test_calgary_by_year(files: Read, year: int) -> None:
    n, site, ghg, kwh, gas, area = CALGARY_YEARS[year]
    reported = files["direct_report", CALGARY].rows.filter(pl.col("year") == year)
    stated = files["energy_audit", CALGARY].rows.filter(pl.col("year") == year)
    assert reported["institution_id"].n_unique() == n
    assert (total(stated, "site_energy"), total(stated, "emissions")) == (number(site), number(ghg))
    assert [total(reported, item) for item in ("110", "140", "101")] == [
        number(text) for text in (kwh, gas, area)
    ]


def test_calgary_carriers_against_the_stated_sum(files: Read) -> None:
    rows = files["direct_report", CALGARY].rows
    power, gas, heat = (by_line(rows, item) for item in ("110", "140", "170"))
    stated = by_line(files["energy_audit", CALGARY].rows, "site_energy")
    away = [
        abs(
            power.get(line, Decimal(0)) * Decimal("0.0036")
            + gas.get(line, Decimal(0))
            + heat.get(line, Decimal(0))
            - site
        )
        for line, site in stated.items()
    ]
    assert len(away) == 494
    assert sum(gap <= Decimal("1.5") for gap in away) == 438
    assert sum(gap > 50 for gap in away) == 35


# ---------- Seattle


def test_seattle_loaded_and_quarantined_cells_make_the_total(files: Read) -> None:
    reported, stated = files["direct_report", SEATTLE], files["energy_audit", SEATTLE]
    assert total(reported.rows, "101") == number("320,158,022")
    assert total(reported.rows, "170") == number("924,564,389.33")
    assert round(total(reported.rows, "140"), 2) == number("46,077,547.98")
    assert reported.quarantine.select("institution_id", "found").rows() == [("49784", "-33,826.80")]
    assert total(reported.rows, "110") + number("-33,826.80") == number("3,658,713,402.03")
    assert total(stated.rows, "site_energy") == number("18,215,762,453.09")
    assert stated.quarantine.select("institution_id", "found").rows() == [("49784", "-0.8")]
    assert total(stated.rows, "emissions") + number("-0.8") == number("403,110.61")


def test_seattle_counts_only_what_complies(files: Read) -> None:
    rows = files["direct_report", SEATTLE].rows
    state = dict(rows.select("institution_id", "task_state").unique().iter_rows())
    assert Counter(state.values()) == {"7": 3211, "-9": 113 + 37, "8": 15}
    compliant = [building for building, code in state.items() if code == "7"]
    stated = files["energy_audit", SEATTLE].rows.filter(pl.col("institution_id").is_in(compliant))
    assert total(stated, "site_energy") == number("17,768,923,542.37")
    # the building with the quarantined negative emission is a compliant one
    assert total(stated, "emissions") + number("-0.8") == number("391,933.52")


def test_seattle_emissions_by_council_district(files: Read) -> None:
    district = files["direct_report", SEATTLE].rows.select("institution_id", "region_code").unique()
    stated = files["energy_audit", SEATTLE].rows.filter(pl.col("item_code") == "emissions")
    joined = stated.join(district, on="institution_id", how="left")
    found = [total(joined.filter(pl.col("region_code") == f"US-SEA-{n}")) for n in range(1, 8)]
    quarantined = files["direct_report", SEATTLE].rows.filter(pl.col("institution_id") == "49784")
    found[int(quarantined["region_code"][0][-1]) - 1] += number("-0.8")
    expected = "16,883.76 53,033.34 99,109.03 45,690.68 23,920.90 17,001.26 147,471.64"
    assert found == [number(text) for text in expected.split()]


def test_seattle_schools(files: Read) -> None:
    rows = files["direct_report", SEATTLE].rows.filter(pl.col("institution_type_code") == "021")
    schools = rows["institution_id"].unique().to_list()
    stated = files["energy_audit", SEATTLE].rows.filter(pl.col("institution_id").is_in(schools))
    assert len(schools) == 98
    assert total(rows, "110") == number("53,769,598.86")
    assert round(total(rows, "140"), 2) == number("1,486,653.58")
    assert total(stated, "site_energy") == number("307,013,205.25")
    assert total(stated, "emissions") == number("9,174.58")


# ---------- Toronto


def test_toronto_without_the_printed_example(files: Read) -> None:
    reported, stated = files["direct_report", TORONTO], files["energy_audit", TORONTO]
    assert round(total(reported.rows, "110"), 3) == number("1,506,450,262.715")
    assert round(total(reported.rows, "140"), 3) == number("53,547,232.415")
    assert total(reported.rows, "101") == number("145,883,221")
    assert round(total(stated.rows, "emissions"), 3) == number("170,144,741.781")
    assert set(reported.rows["item_code"]) == {"101", "110", "140"}, "no other fuel was used"
    for found in (reported, stated):
        assert found.rows["year"].unique().to_list() == [2018]
        assert found.records.height == 1481
        assert 9 not in found.records["row_number"].to_list()


def test_toronto_flames_with_a_zero_for_a_unit(files: Read) -> None:
    found = files["direct_report", TORONTO].quarantine
    assert found.select("cell", "found", "item_code").rows() == [
        ("J210", "0", "110"),
        ("J573", "0", "110"),
        ("J710", "0", "110"),
    ]


def test_toronto_duplicates_are_all_there(files: Read) -> None:
    rows = files["direct_report", TORONTO].rows.filter(pl.col("item_code") == "101")
    twice = rows.group_by("institution_id").len().filter(pl.col("len") > 1)
    assert sorted(twice.iter_rows()) == [("15PS", 2), ("70NASHDENE", 2), ("VARPOLE", 2)]


def test_toronto_emissions_on_the_printed_factors(files: Read) -> None:
    rows = files["direct_report", TORONTO].rows
    power, gas = by_line(rows, "110"), by_line(rows, "140")
    gaps = {
        line: kg - power.get(line, Decimal(0)) * Decimal("0.04") - gas[line] * Decimal("1.89969")
        for line, kg in by_line(files["energy_audit", TORONTO].rows, "emissions").items()
    }
    beyond = [gap for gap in gaps.values() if abs(gap) > 1]
    assert (len(gaps) - len(beyond), len(beyond)) == (1468, 13)
    assert round(sum(beyond, Decimal(0)), 4) == number("8,163,589.3255")


# ---------- communities and buildings known by type only

COMMUNITY_YEARS = {
    2015: (311, "21,638,937,721.8", "9,029,759.573"),
    2016: (288, "19,608,984,360.8", "7,356,004.807"),
    2017: (402, "20,583,695,508.0", "7,657,134.729"),
    2018: (752, "23,563,088,667.1", "8,600,527.363"),
    2019: (431, "21,084,182,848.2", "7,505,969.094"),
    2020: (434, "20,459,912,470.2", "5,606,016.017"),
    2021: (432, "21,744,437,963.4", "6,218,909.258"),
    2022: (466, "21,623,813,766.1", "5,989,796.413"),
    2023: (445, "21,409,135,445.8", "5,374,449.501"),
}


@pytest.mark.parametrize("year", list(COMMUNITY_YEARS))
def test_communities_by_year(files: Read, year: int) -> None:
    n, kwh, tonnes = COMMUNITY_YEARS[year]
    found = files["energy_audit", COMMUNITIES]
    rows = found.rows.filter(pl.col("year") == year)
    missing = found.quarantine.filter(
        (pl.col("item_code") == "electricity") & pl.col("period").str.starts_with(str(year))
    )
    assert rows.filter(pl.col("item_code") == "electricity").height + missing.height == n
    assert round(total(rows, "electricity"), 1) == number(kwh)
    assert round(total(rows, "emissions"), 3) == number(tonnes)


def test_a_missing_amount_is_no_zero(files: Read) -> None:
    found = files["energy_audit", COMMUNITIES]
    assert found.quarantine["found"].unique().to_list() == ["NA"]
    assert found.rows.group_by("item_code").len().sort("item_code").rows() == [
        ("electricity", 3827),
        ("emissions", 3827),
    ]


def test_buildings_known_by_type_only(files: Read) -> None:
    found = files["energy_audit", DISCLOSURE]
    values = [Decimal(text) for text in found.rows["number_text"]]
    assert (len(values), found.quarantine.height) == (855, 64)
    assert round(sum(values, Decimal(0)), 3) == number("191,665.381")
    assert round(sum(values, Decimal(0)) / 855, 3) == number("224.170")
    assert round(max(values), 3) == number("1,030.077")
