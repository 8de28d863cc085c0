"""Headline figures: rounding half up, the profile's basis, comparison at the printed decimals."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from exports_world import dictionary, fill

from exports.database import write_database
from exports.headline import headline_figures, rounded
from exports.messages import ExportError


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    with duckdb.connect() as con:
        fill(con)
        write_database(con, dictionary(folder), folder / "inventory.duckdb")
    return folder / "inventory.duckdb"


def _printed(indicator: str, value: Any, unit: str, year: int = 2021) -> dict[str, Any]:
    return {"indicator": indicator, "year": year, "value": value, "unit": unit, "source": "report"}


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [(2.675, 2, "2.68"), (-2.675, 2, "-2.68"), (11.555, 2, "11.56"), (1.005, 2, "1.01"), (0.0, 2, "0.00"),
     (-0.001, 2, "0.00"), (1e-9, 2, "0.00"), (1e22, 2, "10000000000000000000000.00"), (14.4949999, 2, "14.49"),
     (Decimal("2.345"), 2, "2.35"), (7.5, 0, "8"), (None, 2, None), (float("nan"), 2, None), (float("inf"), 2, None)],
)  # fmt: skip
def test_rounding_is_half_up_from_the_digits_people_see(value: Any, places: int, text: str | None) -> None:
    assert rounded(value, places) == text


def test_ours_beside_the_printed(database: Path) -> None:
    printed = [
        _printed("energy_per_area", "11.56", "kgce/m2"),
        _printed("energy_per_capita", Decimal("135.10"), "kgce/人"),
        _printed("water_per_capita", 14.4, "m³/person"),
        _printed("energy_per_area_change", "-7.4", "%"),
        _printed("energy_per_capita_change", "-13.03", "%"),
        _printed("water_per_capita_change", "-2.82", "%"),
        _printed("energy_per_area_equivalent_kgce_m2", "7.13", "tce/m2"),
        _printed("energy_per_area", "99", "kgce/m2", year=2020),
    ]
    rows = headline_figures(database, "310118", printed, basis="primary")
    assert {row.year for row in rows} == {2021}
    assert "_equivalent_" not in "".join(row.indicator for row in rows[:6])
    found = {row.indicator: (row.ours, row.printed, row.is_equal) for row in rows}
    assert found == {
        "energy_per_area_primary_kgce_m2": ("11.56", "11.56", True),
        "energy_per_capita_primary_kgce_person": ("135.10", "135.10", True),
        # ours is 14.449: rounded once to one decimal it is 14.4, by way of 14.45 it would be 14.5
        "water_per_capita_m3_person": ("14.45", "14.4", True),
        "energy_per_area_primary_change_pct": ("-7.40", "-7.4", True),
        "energy_per_capita_primary_change_pct": ("-13.03", "-13.03", True),
        "water_per_capita_change_pct": ("-2.84", "-2.82", False),
        "energy_per_area_equivalent_kgce_m2": ("7.13", "7.13", None),
        "energy_per_capita_equivalent_kgce_person": ("90.00", None, None),
        "energy_per_area_equivalent_change_pct": ("-1.50", None, None),
        "energy_per_capita_equivalent_change_pct": ("-2.00", None, None),
    }


def test_the_basis_of_the_profile_decides_what_a_bare_name_means(database: Path) -> None:
    rows = headline_figures(
        database, "310118", [_printed("energy_per_area", "7.13", "kgce/㎡")], basis="equivalent"
    )
    assert rows[0].indicator == "energy_per_area_equivalent_kgce_m2"
    assert (rows[0].ours, rows[0].is_equal) == ("7.13", True)


def test_a_region_without_a_year_is_said(database: Path) -> None:
    with pytest.raises(ExportError, match="310117"):
        headline_figures(database, "310117")


def test_a_printed_share_is_taken_from_exact_sums_of_the_carriers(tmp_path: Path) -> None:
    # by hand: 602.45 of 1000 is 60.245 %, half up 60.25; vehicle fuel is a part, not a second carrier of the total
    path = tmp_path / "inventory.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("create schema published")
        con.execute(
            "create table published.region_year as select '510000' as region_code, 2020 as year, 'reported' as population"
        )
        con.execute(
            """create table published.region_carrier_year as
            select '510000' as region_code, 2020 as year, carrier, zh as carrier_name_zh, is_in_energy_total,
                cast(amount as decimal(38, 12)) as energy_equivalent_kgce, null as energy_primary_kgce
            from (values ('electricity', '电', true, '602.45'), ('gasoline', '汽油', true, '397.55'),
                ('gasoline_vehicle', '汽油（车辆用）', false, '300'), ('water', '水', false, null))
                as rows (carrier, zh, is_in_energy_total, amount)"""
        )
    printed = [
        _printed("electricity_share", "60.24", "%", 2020),
        _printed("gasoline_vehicle_share", "30", "%", 2020),
        _printed("water_share", "1", "%", 2020),
        _printed("steam_share", "1", "%", 2020),
    ]
    rows = {row.indicator: row for row in headline_figures(path, "510000", printed, basis="equivalent")}
    assert (rows["electricity_share"].ours, rows["electricity_share"].is_equal) == ("60.25", False)
    assert (rows["gasoline_vehicle_share"].ours, rows["gasoline_vehicle_share"].is_equal) == ("30.00", True)
    assert (rows["water_share"].ours, rows["water_share"].is_equal) == (None, None)
    assert "steam_share" not in rows
    assert "gasoline_share" not in rows
