"""The formulas of district inventories: every row that they name is there, and every subject is described."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from ingestion.contracts.messages import Refusal
from ingestion.contracts.profile import Method, Region, RegionProfile
from ingestion.reference import SEEDS
from ingestion.registry import check_profile, load_registry

CHECKOUT = Path(__file__).parents[2]
BY_THE_PROFILE = "by the profile"


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


TERMS = seed("factors/inventory_terms.csv")
FACTORS = {row["factor_id"]: row for row in seed("factors/factors.csv")}
CATEGORIES = {row["category_id"]: row for row in seed("factors/inventory_categories.csv")}


def test_every_row_of_a_formula_is_in_the_registry_with_a_unit_that_is_known() -> None:
    units = {row["factor_unit"] for row in seed("conversions/factor_units.csv")}
    for term in TERMS:
        if term["method_set"] == BY_THE_PROFILE:
            continue
        for factor_id in filter(None, term["factor_chain"].split(" x ")):
            stated = factor_id.removeprefix("CP-REST-")
            if stated.startswith("CP-"):
                assert stated.startswith(f"CP-{term['method_set']}-"), term
                continue
            row = CATEGORIES.get(stated) or FACTORS[stated]
            assert row["value"], factor_id
            assert row["unit"] in units, row["unit"]


def test_no_formula_takes_rows_of_a_set_of_fuels_other_than_its_own() -> None:
    for term in TERMS:
        sets = {
            FACTORS[item]["factor_set"]
            for item in term["factor_chain"].split(" x ")
            if item in FACTORS and FACTORS[item]["factor_kind"] == "fuel"
        }
        assert sets <= {term["method_set"]}, term


def test_a_term_stands_once_and_a_zone_is_of_known_provinces() -> None:
    keys = [(t["activity_category"], t["subject"], t["category_code"], t["gas"], t["method_set"], t["factor_chain"]) for t in TERMS]  # fmt: skip
    assert len(keys) == len(set(keys))
    provinces = {row["province_code"] for row in seed("regions/grid_regions.csv")} | {"540000"}
    for row in CATEGORIES.values():
        assert set(row["province_codes"].split()) <= provinces, row["category_id"]
    soils = [row for row in CATEGORIES.values() if row["category_id"].startswith("IC-3.C.4-PG11")]
    named = [code for row in soils for code in row["province_codes"].split()]
    assert len(named) == len(set(named)) == 31


def test_every_category_and_subject_is_described() -> None:
    page = (CHECKOUT / "docs" / "inventory.md").read_text(encoding="utf-8")
    for term in TERMS:
        assert f"| {term['activity_category']} |" in page
        assert f"`{term['subject']}` ({term['subject_name_zh']})" in page


def test_a_profile_names_sets_that_there_are() -> None:
    region = Region(code="310118", name_zh="青浦区", name_en="Qingpu", level="district")
    profile = RegionProfile(
        id="one",
        region="310118",
        regions=[region],
        method=Method(inventory_sets=("IPCC-2006", "IPCC-2019")),
    )
    with pytest.raises(Refusal) as refused:
        check_profile(load_registry(Path("no-such-file.csv")), profile)
    assert "inventory_sets: found IPCC-2019" in refused.value.reason.en
    assert BY_THE_PROFILE not in refused.value.reason.en
