"""Factors on a real night: two times, what a release rests on, and rows of a home that stop it."""

from __future__ import annotations

import re
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

from nights import CHECKOUT, Night, run_night

PAGE = (CHECKOUT / "docs" / "factors.md").read_text(encoding="utf-8")


def example(words: str) -> str:
    """The SQL block of docs/factors.md that holds these words."""
    return next(sql for sql in re.findall(r"^```sql\n(.*?)^```", PAGE, re.S | re.M) if words in sql)


def test_one_query_gives_a_year_as_it_was_known_then_and_as_it_is_known_today(clean: Night) -> None:
    query = example("date '2022-12-31'").replace("from region_year", "from published.region_year")
    query = query.replace("join electricity_factor_as_of", "join published.electricity_factor_as_of")
    district = [row for row in clean.published(query) if row[0] == "310118"]
    ((kwh,),) = clean.published(
        "select electricity_kwh from published.region_year where region_code = '310118' and year = 2021 and population = 'reported'"
    )
    then, now = district
    assert then[1:5] == (date(2019, 12, 31), date(2024, 4, 12), "EL-PROV-SH-2016", "earlier_year")
    assert now[1:5] == (date(2024, 4, 12), None, "EL-PROV-SH-2021", "year")
    assert then[5] == kwh * Decimal("0.0005641")
    assert now[5] == kwh * Decimal("0.0005834")


def test_the_registry_is_published_with_what_was_computed_from_it(clean: Night) -> None:
    ((gas, evidence),) = clean.published(
        "select factor_value, evidence from published.factor where factor_id = 'CP-provincial-guide-2025-natural_gas-CO2'"
    )
    assert (gas, evidence) == (
        Decimal("2.16218881"),
        "FF-PG25-NG-LHV x FF-PG25-NG-CC x FF-PG25-NG-OF x FF-C-CO2",
    )
    printed = {
        "gasoline": "2.925056", "diesel": "3.095910", "fuel_oil": "3.170461", "crude_oil": "3.020202", "lpg": "3.101330",
        "kerosene": "3.033391", "lng": "2.831257", "coke": "2.860419", "bituminous_coal": "1.741750",
        "lignite": "1.172864", "petroleum_coke": "3.211542", "coke_oven_gas": "0.8863806", "blast_furnace_gas": "0.8481132",
    }  # fmt: skip
    computed = dict(
        clean.published(
            "select carrier, factor_value from published.factor where factor_set = 'provincial-guide-2025' and factor_origin = 'computed'"
        )
    )
    for carrier, value in printed.items():
        assert abs(computed[carrier] - Decimal(value)) < Decimal("0.000001"), carrier
    blends = {
        "R-410A": ("2087.5", "1923.5", "2255.5"), "R-404A": ("3921.6", "3942.8", "4728"),
        "R-407C": ("1773.85", "1624.21", "1907.93"), "R-407A": ("2107", "1923.4", "2262.2"),
        "R-507A": ("3985", "3985", "4775"), "R-134a": ("1430", "1300", "1530"), "R-32": ("675", "677", "771"),
        "R-22": ("1810", "1760", "1960"), "R-123": ("77", "79", "90.4"),
    }  # fmt: skip
    gwp = {
        (edition, gas): value
        for edition, gas, value in clean.published(
            "select factor_set, gas, factor_value from published.factor where factor_kind = 'gwp'"
        )
    }
    for blend, values in blends.items():
        assert tuple(gwp[edition, blend] for edition in ("AR4", "AR5", "AR6")) == tuple(
            map(Decimal, values)
        ), blend
    masses = clean.published(
        example("as masses").replace("inner join factor ", "inner join published.factor ")
    )
    assert dict(masses) == {"AR4": 23375, "AR5": 22035, "AR6": 25345, "SAR": 19350}
    assert ("SAR", "R-22") not in gwp, "an edition that lacks a gas of a blend has no GWP of it"


def test_a_release_names_its_method_and_what_rests_on_unconfirmed_rows(clean: Night) -> None:
    ((method, number, status, n_used, n_unconfirmed),) = clean.published(
        "select method_id, method_document_no, method_status, n_factors_used, n_factors_unconfirmed from published.release"
    )
    assert (method, number, status) == ("JST303-2026", "JS/T 303-2026", "unconfirmed")
    ((n_rows, n_open),) = clean.published(
        "select count(distinct factor_id), count(distinct factor_id) filter (where status = 'unconfirmed') from published.factor_used"
    )
    assert (n_used, n_unconfirmed) == (n_rows, n_open)
    assert 0 < n_unconfirmed <= n_used
    assert (clean.facts["factors_used"], clean.facts["factors_unconfirmed"]) == (n_used, n_unconfirmed)
    assert clean.facts["method"] == "公共机构碳排放核算指南 JS/T 303-2026"
    figures = dict(
        clean.published(
            "select factor_id, figures from published.factor_used where used_in = 'institution_year' "
            "and factor_id in ('SC-NG', 'FF-JST303-NG', 'CV-gasoline-L-kg')"
        )
    )
    assert figures == {
        "SC-NG": "energy_equivalent, energy_primary",
        "FF-JST303-NG": "emissions",
        "CV-gasoline-L-kg": "energy_equivalent, energy_primary",
    }


def test_a_wrong_row_of_the_home_stops_the_night_before_anything_is_built(
    clean: Night, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    (home / "profiles").mkdir(parents=True)
    shutil.copyfile(clean.home / "profiles" / "example.yml", home / "profiles" / "example.yml")
    row = re.findall(r"^```csv factors\n(.*?)^```", PAGE, re.S | re.M)[0]
    (home / "factors.csv").write_text(row.replace("kgCO2/kWh", ""), encoding="utf-8")
    night = run_night(home)
    assert night.code == 2
    assert "factors.csv 2 unit: 发现 空, 应为 必填" in night.said
    assert "factors.csv 2 unit: found nothing, expected a value" in night.said
    assert "mend it as docs/factors.md describes" in night.said
    assert not (home / "warehouse.duckdb").exists()
    assert not (home / "releases").exists()
    (home / "factors.csv").unlink()
    profile = (home / "profiles" / "example.yml").read_text(encoding="utf-8")
    (home / "profiles" / "example.yml").write_text(
        profile.replace("fuel_set: JS/T 303-2026", "fuel_set: JS/T 300-2026")
    )
    night = run_night(home)
    assert night.code == 2
    assert (
        "method.fuel_set: found JS/T 300-2026, expected one of IPCC-2006, JS/T 303-2026, provincial-guide-2025"
        in night.said
    )
    assert "method.fuel_set: 发现 JS/T 300-2026" in night.said
