"""One night on the invented province prints the figures of the printed report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

CHECKOUT = Path(__file__).parents[2]
TANCANG = Path(sys.executable).parent / "tancang"


@pytest.mark.slow
def test_a_night_on_the_province_prints_its_figures(tmp_path: Path) -> None:
    landing, home = tmp_path / "landing", tmp_path / "home"
    subprocess.run([sys.executable, "-m", "examples.province", str(landing)], cwd=CHECKOUT, check=True)
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("TANCANG_", "DAGSTER_"))}
    command = [str(TANCANG), "nightly", "--home", str(home), "--landing", str(landing)]
    night = subprocess.run(
        [*command, "--profile", "examples/province/profile.yml", "--json"],
        cwd=CHECKOUT, env=clean, capture_output=True, text=True,
    )  # fmt: skip
    assert night.returncode == 0, night.stderr[-2000:]
    printed = {row["indicator"]: (row["ours"], row["printed"]) for row in json.loads(night.stdout)["figures"]}
    told = {name: pair[0] for name, pair in printed.items() if pair[1] is not None}
    assert told == {
        "energy_per_area_equivalent_kgce_m2": "5.51",
        "energy_per_capita_equivalent_kgce_person": "94.28",
        "water_per_capita_m3_person": "28.21",
        "electricity_share": "60.24",
        "natural_gas_share": "20.10",
        "gasoline_share": "15.06",
        "diesel_share": "1.93",
        "other_energy_share": "2.67",
    }
    with duckdb.connect(str(home / "current" / "inventory.duckdb"), read_only=True) as con:
        year = con.execute(
            "select n_institutions, energy_users_persons, floor_area_m2, water_m3 from published.region_year "
            "where region_code = '510000' and population = 'reported'"
        ).fetchall()
    assert year == [(51_754, Decimal(17_153_000), Decimal(243_630_000), Decimal(483_900_000))]
