"""Emissions that others state by place: totals to the digit, and no place counted twice."""

from __future__ import annotations

import gzip
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest
import yaml

from ingestion.account import Delivery
from ingestion.contracts.profile import RegionProfile
from ingestion.load import Loaded, Rules, load

DATA = Path("tests/data/regional-emissions")
PUBLIC = [
    "Public Sector Electricity",
    "Public Sector Gas",
    "Public Sector Other Fuels",
    "Public Sector Total",
]
SECTORS = [
    "Industry",
    "Commercial",
    "Public Sector",
    "Domestic",
    "Transport",
    "Agriculture",
    "Waste Management",
]
Cells = dict[tuple[int, str, str], Decimal]


@pytest.fixture(scope="module")
def found(rules: Rules, checkout: Path) -> Loaded:
    data = (checkout / DATA / "authorities.csv.gz").read_bytes()
    assert len(gzip.decompress(data)) == 3593842, "the whole file"
    return load(Delivery("f1", "energy_audit", "authorities.csv.gz"), data, rules)


@pytest.fixture(scope="module")
def cells(found: Loaded) -> Cells:
    """Amount by year, authority and group of figures, exactly as the file writes it."""
    rows = found.rows.select("year", "institution_id", "table_code", "number_text").iter_rows()
    return {(year, code, group): Decimal(text) for year, code, group, text in rows}


@pytest.fixture(scope="module")
def profile(checkout: Path) -> RegionProfile:
    return RegionProfile.model_validate(
        yaml.safe_load((checkout / DATA / "profile.yml").read_text(encoding="utf-8"))
    )


def leaves_of(profile: RegionProfile) -> dict[str, set[str]]:
    """The smallest places below each region."""
    parts: dict[str | None, list[str]] = defaultdict(list)
    for region in profile.regions:
        parts[region.parent].append(region.code)

    def below(code: str) -> set[str]:
        return set().union(*(below(part) for part in parts[code])) if parts[code] else {code}

    return {region.code: below(region.code) for region in profile.regions}


def test_every_cell_is_accounted_for(found: Loaded) -> None:
    assert found.layout is not None
    assert found.layout.id == "regional_emissions"
    assert found.quarantine.height == 0
    assert found.rows["institution_id"].n_unique() == 394
    assert found.rows["unit_text"].unique().to_list() == ["ktCO2"]
    assert found.counts["record"] == {"n_read": 6305, "n_loaded": 6304, "n_quarantined": 0, "n_ignored": 1}
    cell = found.counts["cell"]
    assert cell["n_read"] == cell["n_loaded"] + cell["n_ignored"]


@pytest.mark.parametrize(
    ("year", "expected"),
    [
        (2005, "24125.018 17750.162 43048.477 732138.272"),
        (2018, "9843.026 13272.686 23326.824 485838.768"),
        (2019, "8545.044 12889.349 21610.701 462199.476"),
        (2020, "6813.715 12977.630 19870.745 416627.382"),
    ],
)
def test_plain_sums_as_published(cells: Cells, year: int, expected: str) -> None:
    groups = ["Public Sector Electricity", "Public Sector Gas", "Public Sector Total", "Total Emissions"]
    sums = [sum(amount for (y, _, g), amount in cells.items() if (y, g) == (year, group)) for group in groups]
    assert [round(total, 3) for total in sums] == [Decimal(text) for text in expected.split()]


def test_parts_make_their_total_in_every_row(cells: Cells) -> None:
    authorities = {(year, code) for year, code, _ in cells}
    assert len(authorities) == 6304
    for year, code in authorities:
        electricity, gas, other, public = (cells[year, code, group] for group in PUBLIC)
        assert abs(electricity + gas + other - public) <= Decimal("1e-11"), (year, code)
        sectors = sum(cells[year, code, f"{sector} Total"] for sector in SECTORS)
        assert abs(sectors - cells[year, code, "Total Emissions"]) <= Decimal("1e-11"), (year, code)


def test_greater_london(cells: Cells) -> None:
    assert round(cells[2020, "GLA", "Total Emissions"], 3) == Decimal("25432.742")
    assert round(cells[2020, "GLA", "Public Sector Total"], 3) == Decimal("1940.015")


def test_every_whole_is_the_sum_of_its_districts(cells: Cells, profile: RegionProfile) -> None:
    leaves = leaves_of(profile)
    wholes = {code for code, parts in leaves.items() if parts != {code}} - {"UK"}
    assert (len(wholes), len(leaves["UK"])) == (33, 361)
    for year, code, group in cells:
        if code in wholes:
            parts = sum(cells[year, part, group] for part in leaves[code])
            assert abs(parts - cells[year, code, group]) <= Decimal("1e-6"), (year, code, group)


def test_a_roll_up_takes_districts_alone(
    found: Loaded, cells: Cells, profile: RegionProfile, checkout: Path
) -> None:
    """The model's own SQL on the whole file and the declared regions."""
    con = duckdb.connect()
    year = 2019
    rows = found.rows.filter((pl.col("year") == year) & (pl.col("table_code") == "Total Emissions"))
    landed = rows.with_columns(path=pl.lit("a.csv"), measure=pl.lit("amount"), unit=pl.lit("kt"))
    con.register("landed", landed.to_arrow())
    con.execute("create table stated as select *, number_text::decimal(18, 4) as amount from landed")
    parents = {region.code: region.parent for region in profile.regions}
    con.execute("create table paths (region_code varchar, ancestor_code varchar, n_steps integer, is_ancestor_group boolean)")
    for code in parents:
        above, steps = code, 0
        while above is not None:
            con.execute("insert into paths values (?, ?, ?, false)", [code, above, steps])
            above, steps = parents[above], steps + 1  # type: ignore[assignment]
    model = (checkout / "dbt_project/models/core/core_stated_rollup_members.sql").read_text(encoding="utf-8")
    sql = model.split("-#}")[1]
    for name, table in (("stg_energy_audit__values", "stated"), ("core_region_path", "paths")):
        sql = sql.replace("{{ ref('" + name + "') }}", table)
    con.execute(f"create table members as {sql}")
    # a sum of four decimals per district: 361 of them are at most 0.02 away from the digits of the file
    ((total, n),) = con.execute(
        "select sum(amount), count(*) from members where region_code = 'UK'"
    ).fetchall()
    assert (n, round(total, 1)) == (361, Decimal("282866.9"))
    naive = sum(amount for (y, _, g), amount in cells.items() if (y, g) == (year, "Total Emissions"))
    assert round(naive - total, 1) == Decimal("179332.6"), "what the plain sum counts again"
    assert con.execute("select count(*) from members where region_code = 'GLA'").fetchall() == [(33,)]
    assert con.execute("select count(*) from members where region_code = 'CPCA'").fetchall() == [(6,)]
    wholes = con.execute(
        """select count(*) from (select region_code from members where stated_amount is not null
        group by region_code having abs(sum(amount) - any_value(stated_amount)) > 0.0001 * count(*))"""
    )
    assert wholes.fetchall() == [(0,)], "each county, authority and capital equals its districts"
