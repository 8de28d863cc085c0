"""The shipped figures: nothing left out unsaid, printed results reached from printed parameters, sources named."""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from benchmarks import scratch
from ingestion.contracts.factors import COLUMNS
from ingestion.reference import SEEDS
from ingestion.registry import load_registry

CHECKOUT = Path(__file__).parents[2]
NO_FILE = Path("no-such-file.csv")


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


FACTORS = seed("factors/factors.csv")
BY_ID = {row["factor_id"]: row for row in FACTORS}
ADDED = {
    "EL-GB-AVG-2015", "EL-GB-AVG-2018", "EL-GB-AVG-2019", "SC-KGCE", "UN-EXACT", "UN-EF-HEAT", "UN-CV-NCV-GAS",
    "UN-CV-NCV-GASOLINE", "UN-CV-NCV-DIESEL", "UN-CV-NCV-LPG", "UN-CV-NCV-COAL", "UN-CV-DENSITY", "UN-WA-OX", "FF-C-CH4",
}  # fmt: skip
"""Rows beside the gathered figures, which docs/factors.md names."""


def declared() -> dict[str, tuple[int, set[str]]]:
    """What docs/factors.md says was gathered: group → number of figures and the ids that were left out."""
    page = (CHECKOUT / "docs" / "factors.md").read_text(encoding="utf-8")
    part = page.split("## What was not taken over")[1].split("\n## ")[0]
    found: dict[str, tuple[int, set[str]]] = {}
    group = ""
    for line in re.findall(r"^\| (.*) \|$", part, re.M)[1:]:
        name, number, ids, reason = (cell.strip() for cell in line.split("|"))
        if set(name) <= {"-", " "} and number.startswith("--"):
            continue
        group = name or group
        left = {item.strip() for item in ids.split(",") if item.strip()}
        assert reason or not left, f"{left} are left out without a reason"
        count, before = found.get(group, (0, set()))
        found[group] = (int(number or 0) + count, before | left)
    return found


def test_every_gathered_figure_is_a_row_or_left_out_with_a_reason() -> None:
    taken = {
        "electricity": [i for i in BY_ID if i.startswith("EL-")],
        "fuel": [i for i in BY_ID if i.startswith("FF-")],
        "heat": [i for i in BY_ID if i.startswith("HT-")],
        "standard coal": [i for i in BY_ID if i.startswith("SC-")],
        "GWP": [i for i in BY_ID if i.startswith("GWP-")],
        "blends": sorted({row["factor_set"] for row in FACTORS if row["factor_kind"] == "blend"}),
        "uncertainty": [row["uncertainty_id"] for row in seed("factors/uncertainty_defaults.csv")],
        "categories": [row["category_id"] for row in seed("factors/inventory_categories.csv")],
    }
    assert set(declared()) == set(taken)
    for group, (n_gathered, left) in declared().items():
        held = set(taken[group]) - ADDED
        assert not held & left, group
        assert len(held) + len(left) == n_gathered, group
    page = (CHECKOUT / "docs" / "factors.md").read_text(encoding="utf-8")
    assert all(factor_id in page for factor_id in ADDED)
    covered = [i for group in ("electricity", "fuel", "heat", "standard coal", "GWP") for i in taken[group]]
    others = {row["factor_id"] for row in FACTORS if row["factor_kind"] != "blend"} - set(covered)
    assert all(i.startswith("HV-") for i in others), others


def test_the_seed_has_the_columns_of_a_home_and_nothing_is_wrong_with_it() -> None:
    assert list(FACTORS[0]) == list(COLUMNS)
    registry = load_registry(NO_FILE)
    assert len(registry.shipped) == len(FACTORS) == 510
    assert registry.home == ()


@pytest.mark.parametrize(
    "name", ["factors", "uncertainty_defaults", "inventory_categories", "accounting_methods"]
)
def test_a_source_is_a_document_and_never_where_a_copy_lies(name: str) -> None:
    for row in seed(f"factors/{name}.csv"):
        text = " ".join(row.values())
        assert not re.search(r"https?:|www\.|github|index id|\.csv|\.json", text, re.I), text
        assert row["issuer"], row
        assert row["document"], row
        assert row["known_since"], row
        assert row["status"] in ("confirmed", "unconfirmed", "definition", "convention"), row
        if row["status"] == "unconfirmed":
            assert row["evidence"] in (
                "two transcriptions", "one transcription", "from memory", "derived", "未见原文，三份转录 / text not seen, three transcriptions",
            ), row  # fmt: skip


def test_coefficients_are_heating_values_over_that_of_standard_coal() -> None:
    """GB/T 2589: 20934 kJ/kg / 29307.6 kJ/kg = 0.7143 kgce/kg, to four digits, for every solid and liquid fuel."""
    unit = Decimal(BY_ID["HV-KGCE"]["value"])
    checked = 0
    for factor_id, row in BY_ID.items():
        if (
            factor_id.startswith("HV-")
            and row["unit"] == "kJ/kg"
            and row["carrier"] not in ("other_energy", "steam")
        ):
            coefficient = Decimal(BY_ID["SC-" + factor_id[3:]]["value"])
            assert abs(Decimal(row["value"]) / unit - coefficient) <= Decimal("0.0001"), factor_id
            checked += 1
    assert checked == 15


def test_conversions_of_carriers_are_made_of_rows_of_the_registry() -> None:
    """The densities that litres are weighed with, and the heating value of 3.6 MJ of natural gas, stand in both seeds."""
    found = {
        (row["carrier"], row["from_unit"], row["to_unit"]): Decimal(row["multiplier"])
        for row in seed("conversions/carrier_conversions.csv")
    }
    for carrier in ("gasoline", "diesel"):
        assert found[carrier, "L", "kg"] == Decimal(BY_ID[f"FF-DENS-{carrier.upper()}"]["value"])
    per_m3 = Decimal(BY_ID["FF-PG25-NG-LHV"]["value"]) / 10
    assert abs(found["natural_gas", "kWh", "m3"] - Decimal("3.6") / per_m3) < Decimal("0.00000001")


def test_a_province_lies_in_one_grid_region_at_a_time() -> None:
    """As it stands; then a day twice, a day without, an end before its beginning, a last row that ends, a first that begins."""

    def wrong(rows: list[dict[str, str]]) -> list[str]:
        con = duckdb.connect()
        con.execute("create schema seeds")
        con.execute(
            "create table seeds.grid_regions (province_code varchar, valid_from date, valid_until date)"
        )
        con.executemany(
            "insert into seeds.grid_regions values (?, nullif(?, '')::date, nullif(?, '')::date)",
            [(row["province_code"], row["valid_from"], row["valid_until"]) for row in rows],
        )
        return [row[0] for row in scratch.failing(con, "assert_a_province_lies_in_one_grid_region_at_a_time")]

    shipped = seed("regions/grid_regions.csv")
    assert wrong(shipped) == []
    assert {row["province_code"] for row in shipped if row["valid_until"]} == {"500000", "510000"}
    before = {"province_code": "P", "valid_from": "", "valid_until": "2013-12-31"}
    for valid_from, valid_until in [("2013-12-31", ""), ("2014-01-02", ""), ("2014-01-01", "2013-01-01")]:
        assert wrong([before, {**before, "valid_from": valid_from, "valid_until": valid_until}]), valid_from
    assert wrong([before]) == ["P"]
    assert wrong([{**before, "valid_from": "2014-01-01", "valid_until": ""}]) == ["P"]
    assert wrong([before, {**before, "valid_until": ""}])
