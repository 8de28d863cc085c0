"""Yearly files that nobody here wrote, by layout files alone: control totals to the digit, every trap in its place."""

from __future__ import annotations

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
    ("direct_report", COLLEGES / "kankyo2020_co2.csv"): "college_emissions.2020",
    ("direct_report", COLLEGES / "kankyo2020_facilityarea.csv"): "college_floor_areas.2020",
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
    ("direct_report", TORONTO): {("unknown_unit", "cell"): 3},
}
NOTED = {
    ("direct_report", ERIC_13): {"shifted_row_rejoined": 5},
    ("direct_report", ERIC_14): {"shifted_row_rejoined": 5, "net_amount_negative": 1},
    ("direct_report", SEATTLE): {"net_amount_negative": 1},
    ("energy_audit", SEATTLE): {"net_amount_negative": 1},
    ("direct_report", TORONTO): {"record_repeated": 3},
    ("energy_audit", TORONTO): {"record_repeated": 3},
    ("energy_audit", DISCLOSURE): {"shifted_row_rejoined": 64},
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
    why = Counter(found.quarantine.select("reason_code", "unit").iter_rows())
    assert why == QUARANTINED.get(key, {})
    assert Counter(found.notes["note_code"]) == NOTED.get(key, {}), "every column is read or ignored by name"
    assert found.rows["unit_text"].null_count() == 0


# ---------- hospital returns, three editions

HOSPITAL_ITEMS = ("101", "110", "140", "160", "130")
HOSPITALS = {
    ERIC_13: "26145622 2893959157 8056773698 131661903 84735925 140562120 29531857",
    ERIC_14: "26341165 2681953793 7886517672 120129511 84251030 56762655 29159853",
    ERIC_15: "26813998 2796386593 8186765194 129067391 79563507 169456365 33917118",
}
N_TRUSTS = {ERIC_13: 251, ERIC_14: 241, ERIC_15: 238}


@pytest.mark.parametrize("path", list(HOSPITALS), ids=["2013-14", "2014-15", "2015-16"])
def test_hospitals_to_the_digit(files: Read, path: Path) -> None:
    found = files["direct_report", path]
    expected = [Decimal(text) for text in HOSPITALS[path].split()]
    assert [total(found.rows, item) for item in HOSPITAL_ITEMS] == expected[:5]
    heat = found.rows.filter(pl.col("item_code") == "170")
    steam, hot_water = sorted(heat["column_number"].unique())
    assert [total(heat, column=column) for column in (steam, hot_water)] == expected[5:]
    assert found.records.height == found.counts["record"]["n_loaded"] == N_TRUSTS[path]
    assert found.quarantine.height == 0


@pytest.mark.parametrize("path", [ERIC_13, ERIC_14], ids=["2013-14", "2014-15"])
def test_lines_that_a_comma_shifted_are_repaired_and_noted(files: Read, path: Path) -> None:
    found = files["direct_report", path]
    names = dict(
        found.rows.filter(pl.col("institution_id").is_in(SHIFTED))
        .select("institution_id", "institution_name")
        .iter_rows()
    )
    assert names == {
        "RF4": "BARKING, HAVERING AND REDBRIDGE UNIVERSITY HOSPITALS NHS TRUST",
        "RRF": "WRIGHTINGTON, WIGAN AND LEIGH NHS FOUNDATION TRUST",
        "RRP": "BARNET, ENFIELD AND HARINGEY MENTAL HEALTH NHS TRUST",
        "RX3": "TEES, ESK AND WEAR VALLEYS NHS FOUNDATION TRUST",
        "RX4": "NORTHUMBERLAND, TYNE AND WEAR NHS FOUNDATION TRUST",
    }
    notes = found.notes.filter(pl.col("note_code") == "shifted_row_rejoined")
    assert set(notes["found"]) == set(names.values())
    assert all(cell.startswith("B") for cell in notes["cell"])
    repaired = found.rows.filter(pl.col("institution_id").is_in(SHIFTED))
    assert total(repaired, "110") == {ERIC_13: Decimal(48742886), ERIC_14: Decimal(48065830)}[path]


def test_steam_that_was_passed_on_is_read_with_its_sign_and_noted(files: Read) -> None:
    found = files["direct_report", ERIC_14]
    notes = found.notes.filter(pl.col("note_code") == "net_amount_negative")
    assert notes.select("row_number", "cell", "found").rows() == [(138, "CC138", "-79199347")]
    leeds = found.rows.filter(pl.col("institution_id") == "RR8")
    assert total(leeds, "170") == Decimal(-79199347) + Decimal(594899)
    assert total(leeds, "110") == 16120074, "the stray cell at the end of the line is ignored by name"


def test_a_trust_without_values_is_loaded_without_values(files: Read) -> None:
    found = files["direct_report", ERIC_14]
    assert found.rows.filter(pl.col("institution_id") == "RP6").height == 0
    assert 122 in found.records["row_number"].to_list()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            ERIC_13,
            {
                "GB-LON": (39, 600543175),
                "GB-MID": (75, 836038120),
                "GB-NTH": (75, 786389678),
                "GB-STH": (62, 670988184),
            },
        ),
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
    found = {str(region): (part.height, total(part)) for (region,), part in rows.group_by("region_code")}
    assert found == expected


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
    ("direct_report", "kankyo2020_co2.csv"): (34316, 10564, 11789, 7025),
    ("direct_report", "kankyo2020_facilityarea.csv"): (1312634, 386851),
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


def test_seattle_to_the_digit(files: Read) -> None:
    reported, stated = files["direct_report", SEATTLE], files["energy_audit", SEATTLE]
    assert total(reported.rows, "101") == number("320,158,022")
    assert total(reported.rows, "170") == number("924,564,389.33")
    assert round(total(reported.rows, "140"), 2) == number("46,077,547.98")
    assert reported.notes["found"].to_list() == ["-33,826.80"], "one building fed back more than it bought"
    assert total(reported.rows, "110") == number("3,658,713,402.03")
    assert total(stated.rows, "site_energy") == number("18,215,762,453.09")
    assert stated.notes["found"].to_list() == ["-0.8"]
    assert total(stated.rows, "emissions") == number("403,110.61")


def test_seattle_counts_only_what_complies(files: Read) -> None:
    rows = files["direct_report", SEATTLE].rows
    state = dict(rows.select("institution_id", "task_state").unique().iter_rows())
    assert Counter(state.values()) == {"7": 3211, "-9": 113 + 37, "8": 15}
    compliant = [building for building, code in state.items() if code == "7"]
    stated = files["energy_audit", SEATTLE].rows.filter(pl.col("institution_id").is_in(compliant))
    assert total(stated, "site_energy") == number("17,768,923,542.37")
    assert total(stated, "emissions") == number("391,933.52")


def test_seattle_emissions_by_council_district(files: Read) -> None:
    district = files["direct_report", SEATTLE].rows.select("institution_id", "region_code").unique()
    stated = files["energy_audit", SEATTLE].rows.filter(pl.col("item_code") == "emissions")
    joined = stated.join(district, on="institution_id", how="left")
    found = [total(joined.filter(pl.col("region_code") == f"US-SEA-{n}")) for n in range(1, 8)]
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

UNSTATED = {2015: 6, 2016: 6, 2017: 12, 2018: 53, 2019: 15, 2020: 15, 2021: 15, 2022: 7, 2023: 5}
COMMUNITY_FACTORS = dict(
    zip(
        range(2015, 2024),
        map(Decimal, ["0.406", "0.365", "0.372", "0.365", "0.356", "0.274", "0.286", "0.277", "0.251"]),
        strict=True,
    )
)


@pytest.mark.parametrize("year", list(COMMUNITY_YEARS))
def test_communities_by_year(files: Read, year: int) -> None:
    n, kwh, tonnes = COMMUNITY_YEARS[year]
    found = files["energy_audit", COMMUNITIES]
    rows = found.rows.filter(pl.col("year") == year)
    assert rows.filter(pl.col("item_code") == "electricity").height == n - UNSTATED[year]
    assert round(total(rows, "electricity"), 1) == number(kwh)
    assert round(total(rows, "emissions"), 3) == number(tonnes)


def test_a_missing_amount_is_no_zero_and_no_mistake(files: Read) -> None:
    found = files["energy_audit", COMMUNITIES]
    assert found.counts["record"]["n_loaded"] == 3961
    assert found.rows.group_by("item_code").len().sort("item_code").rows() == [
        ("electricity", 3961 - 134),
        ("emissions", 3961 - 134),
    ]


def test_community_emissions_on_the_utilitys_factors(files: Read) -> None:
    rows = files["energy_audit", COMMUNITIES].rows
    kwh, tonnes = by_line(rows, "electricity"), by_line(rows, "emissions")
    places = dict(rows.select("row_number", "institution_id").unique().iter_rows())
    years = dict(rows.select("row_number", "year").unique().iter_rows())
    elsewhere = [
        line
        for line in kwh
        if kwh[line] and round(tonnes[line] * 1000 / kwh[line], 3) != COMMUNITY_FACTORS[years[line]]
    ]
    assert len(kwh) - len(elsewhere) == 3812
    # three communities of another state, on the factor of another grid
    assert {places[line] for line in elsewhere} == {"City of Centennial", "City of Rifle", "City of Morrison"}
    found = Counter((years[line], round(tonnes[line] * 1000 / kwh[line], 3)) for line in elsewhere)
    assert found == {(2015, Decimal("0.676")): 8, (2016, Decimal("0.599")): 4, (2023, Decimal("0.426")): 3}


def test_buildings_known_by_type_only(files: Read) -> None:
    found = files["energy_audit", DISCLOSURE]
    assert Counter(found.rows["table_code"]) == {
        "Office": 245,
        "Mixed development": 240,
        "Retail": 117,
        "Hotel": 83,
        "Civic, community & cultural inst.": 64,
        "Hospital": 27,
        "Inst. of higher learning (IHL)": 33,
        "Clinic": 12,
        "Nursing home": 45,
        "Sports & Recreation": 53,
    }
    rejoined = pl.col("table_code").str.starts_with("Civic")
    values = [Decimal(text) for text in found.rows.filter(~rejoined)["number_text"]]
    assert round(sum(values, Decimal(0)), 3) == number("191,665.381")
    assert round(sum(values, Decimal(0)) / 855, 3) == number("224.170")
    assert round(max(values), 3) == number("1,030.077")
    assert total(found.rows.filter(rejoined).head(2)) == Decimal("159.0896114") + Decimal("104.7619076")
