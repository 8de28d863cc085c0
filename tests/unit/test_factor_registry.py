"""Rows of a home: what is taken, what is refused before anything is built, and in which words."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from ingestion.contracts.messages import Refusal
from ingestion.contracts.profile import RegionProfile
from ingestion.registry import check_profile, load_registry

CHECKOUT = Path(__file__).parents[2]
HEADER = (
    "factor_id,factor_kind,factor_set,series,parameter,carrier,gas,region_code,name_zh,valid_year,valid_from,valid_until,"
    "value,unit,issuer,document,document_no,known_since,status"
)
GOOD = {
    "factor_id": "EL-OWN-2024", "factor_kind": "electricity", "factor_set": "avg", "parameter": "per_unit",
    "carrier": "electricity", "region_code": "310000", "name_zh": "自有因子", "valid_year": "2024", "value": "0.56",
    "unit": "kgCO2/kWh", "issuer": "某局", "document": "某公告", "document_no": "第1号", "known_since": "2026-06-30",
    "status": "confirmed",
}  # fmt: skip
FUEL = GOOD | {
    "factor_kind": "fuel", "factor_set": "own", "carrier": "natural_gas", "gas": "CO2", "region_code": "",
    "valid_year": "", "valid_from": "2026-01-01",
}  # fmt: skip


def written(folder: Path, *rows: dict[str, str], encoding: str = "utf-8") -> Path:
    lines = [",".join(row.get(column, "") for column in HEADER.split(",")) for row in rows]
    path = folder / "factors.csv"
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding=encoding)
    return path


def parts(**of: str) -> list[dict[str, str]]:
    """Rows of one fuel formula: parameter → value, all in the units of the guides."""
    units = {"lhv": "GJ/10^4 Nm3", "carbon_content": "tC/TJ", "oxidation": "fraction", "per_unit": "kgCO2/m3"}
    return [
        FUEL | {"factor_id": f"FF-OWN-{name}", "parameter": name, "value": value, "unit": units[name]}
        for name, value in of.items()
    ]


def profile(**method: str) -> RegionProfile:
    shanghai = {"code": "310000", "name_zh": "上海市", "name_en": "Shanghai", "level": "city"}
    return RegionProfile.model_validate(
        {"id": "p", "region": "310000", "regions": [shanghai], "method": method}
    )


def refused(path: Path) -> str:
    with pytest.raises(Refusal) as caught:
        load_registry(path)
    assert caught.value.code == "bad_factors"
    for text in (caught.value.reason.zh, caught.value.mend.zh):
        assert re.search(r"[\u4e00-\u9fff]", text)
    return caught.value.reason.en


def test_rows_of_a_home_stand_beside_those_of_the_seed(tmp_path: Path) -> None:
    registry = load_registry(written(tmp_path, GOOD))
    assert [row["factor_id"] for row in registry.home] == ["EL-OWN-2024"]
    assert "EL-OWN-2024" in registry.known_by(date(2026, 6, 30))
    assert "EL-OWN-2024" not in registry.known_by(date(2026, 6, 29))
    assert load_registry(written(tmp_path, GOOD, encoding="gb18030")).home[0]["name_zh"] == "自有因子"


def test_the_example_of_the_docs_is_taken(tmp_path: Path) -> None:
    page = (CHECKOUT / "docs" / "factors.md").read_text(encoding="utf-8")
    found = re.findall(r"^```csv factors\n(.*?)^```", page, re.S | re.M)
    assert len(found) == 1
    (tmp_path / "factors.csv").write_text(found[0], encoding="utf-8")
    assert len(load_registry(tmp_path / "factors.csv").home) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"unit": ""}, "factors.csv 2 unit: found nothing, expected a value"),
        ({"issuer": ""}, "factors.csv 2 issuer: found nothing, expected a value"),
        ({"document": ""}, "factors.csv 2 document: found nothing, expected a value"),
        ({"known_since": ""}, "factors.csv 2 known_since: found nothing, expected a value"),
        ({"valid_year": ""}, "factors.csv 2 valid_year, valid_from: found nothing, expected valid_year or valid_from"),
        ({"valid_from": "2024-01-01"}, "found 2024 2024-01-01, expected valid_year or valid_from, one of the two"),
        ({"valid_year": "24"}, "valid_year: found 24, expected a year of four digits"),
        ({"value": "0,56"}, "as many columns as the header"),
        ({"value": "-0.5"}, "value: found -0.5, expected a number that is not below zero"),
        ({"value": "NaN"}, "value: found NaN, expected a number that is not below zero"),
        ({"value": "0.123456789"}, "value: found 0.123456789, expected at most 8 decimals"),
        ({"value": "1e99999999"}, "value: found 1e99999999, expected a number"),
        ({"unit": "kg/度"}, "unit: found kg/度, expected one of kgCO2/L, kgCO2/kWh"),
        ({"unit": "kgCO2/m3"}, "unit: found kgCO2/m3, expected a unit per kWh, or one that kWh can be converted to"),
        ({"unit": "kgce/kWh"}, "unit: found kgce/kWh, expected one of"),
        ({"factor_kind": "power"}, "factor_kind: found power, expected one of electricity, heat, fuel"),
        ({"parameter": "lhv"}, "parameter: found lhv, expected one of per_unit"),
        ({"status": "true"}, "status: found true, expected one of confirmed"),
        ({"region_code": ""}, "region_code: found nothing, expected a value"),
        ({"carrier": "elektricity"}, "carrier: found elektricity, expected a known carrier"),
        ({"factor_id": "EL-CN-AVG-2023"}, "factor_id: found EL-CN-AVG-2023, expected an id of its own; factors.csv (seed)"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_used_is_named(change: dict[str, str], words: str, tmp_path: Path) -> None:
    assert words in refused(written(tmp_path, GOOD | change))


def test_a_header_of_other_columns_is_named(tmp_path: Path) -> None:
    (tmp_path / "factors.csv").write_text("factor_id,wert\nX,1\n", encoding="utf-8")
    assert "factors.csv 1: found wert, expected these columns and no others: factor_id" in refused(
        tmp_path / "factors.csv"
    )


def test_times_that_overlap_are_refused_unless_one_revises_or_follows_the_other(tmp_path: Path) -> None:
    same_day = GOOD | {"factor_id": "EL-OWN-2", "value": "0.57"}
    assert "expected a validity that does not overlap factors.csv 2 (EL-OWN-2024)" in refused(
        written(tmp_path, GOOD, same_day)
    )
    revised = same_day | {"known_since": "2026-07-01"}
    assert len(load_registry(written(tmp_path, GOOD, revised)).home) == 2
    shipped_year = GOOD | {"valid_year": "2023", "known_since": "2025-12-31"}
    assert "(EL-PROV-SH-2023)" in refused(written(tmp_path, shipped_year))
    ets = GOOD | {"factor_set": "ets", "valid_year": "", "valid_from": "2026-01-01", "unit": "tCO2/10^4kWh"}
    assert len(load_registry(written(tmp_path, ets)).home) == 1, "it ends the open row of 2022"
    before = ets | {"valid_from": "2021-01-01"}
    assert "(EL-SH-ETS-" in refused(written(tmp_path, before))


def test_a_formula_never_takes_parameters_of_two_sets(tmp_path: Path) -> None:
    whole = parts(lhv="389.31", carbon_content="15.3", oxidation="0.97")
    registry = load_registry(written(tmp_path, *whole))
    check_profile(registry, profile(fuel_set="own", accounting_method="authority-own"))
    alone = refused(written(tmp_path, *parts(oxidation="0.97")))
    assert "found own natural_gas: oxidation, expected per_unit, or lhv + carbon_content + oxidation" in alone
    of_guide = parts(oxidation="0.97")[0] | {
        "factor_set": "provincial-guide-2011",
        "known_since": "2026-06-30",
    }
    lhv_of_another = parts(lhv="389.31")[0] | {"factor_set": "provincial-guide-2025"}
    assert "all parameters of provincial-guide-2025 natural_gas from one document" in refused(
        written(tmp_path, lhv_of_another)
    )
    assert "natural_gas: oxidation" in refused(written(tmp_path, of_guide))
    beside_a_factor = parts(oxidation="0.97")[0] | {
        "factor_set": "JS/T 303-2026",
        "document_no": "JS/T 303-2026",
    }
    assert "JS/T 303-2026 natural_gas: oxidation, per_unit" in refused(written(tmp_path, beside_a_factor))
    two_documents = [*whole[:2], whole[2] | {"document_no": "第2号"}]
    words = refused(written(tmp_path, *two_documents))
    assert "(FF-OWN-oxidation) is from 第2号; give the whole formula under a factor_set of its own" in words


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ({"fuel_set": "provincial-guide-2011"}, "method.fuel_set: found provincial-guide-2011, expected one of IPCC-2006"),
        ({"fuel_set": "nothing"}, "method.fuel_set: found nothing, expected one of"),
        ({"fuel_set": "IPCC-2006"}, "JST303-2026 takes JS/T 303-2026 alone; with another set accounting_method is authority-own"),
        ({"coal_set": "GB/T 9999"}, "method.coal_set: found GB/T 9999, expected one of"),
        ({"heat_factor": "SC-HEAT"}, "method.heat_factor: found SC-HEAT, expected one of HT-CN-0.11"),
        ({"gas_coal_factor": "SC-RAWCOAL"}, "method.gas_coal_factor: found SC-RAWCOAL, expected one of"),
        ({"electricity_family": "green"}, "method.electricity_family: found green, expected one of avg"),
        ({"electricity_primary_series": "SC-NG"}, "method.electricity_primary_series: found SC-NG"),
        ({"gwp_edition": "AR7"}, "method.gwp_edition: found AR7, expected one of AR4, AR5, AR6, SAR"),
        ({"accounting_method": "mine"}, "method.accounting_method: found mine, expected one of JST303-2026, authority-own"),
    ],
)  # fmt: skip
def test_a_profile_that_leads_nowhere_is_named(method: dict[str, str], words: str) -> None:
    with pytest.raises(Refusal) as caught:
        check_profile(load_registry(Path("none.csv")), profile(**method))
    assert caught.value.code == "bad_profile_factors"
    assert words in caught.value.reason.en
    assert re.search(r"[\u4e00-\u9fff]", caught.value.reason.zh)


@pytest.mark.parametrize(
    ("factor_id", "words"),
    [
        ("EL-NONE", "stand_ins 2020: found EL-NONE, expected the id of an electricity factor"),
        ("HT-CN-0.11", "stand_ins 2020: found HT-CN-0.11, expected the id of an electricity factor"),
        (
            "EL-PI-GREEN-0",
            "is of family green, which is for a part of the electricity and never for all of it",
        ),
        (
            "EL-CN-EXMK-2023",
            "is of family exmk, which is for a part of the electricity and never for all of it",
        ),
    ],
)
def test_a_stand_in_is_a_row_for_all_electricity(factor_id: str, words: str) -> None:
    named = profile().model_copy(update={"stand_ins": RegionProfile.model_validate(
        profile().model_dump() | {"stand_ins": [{"year": 2020, "purpose": "electricity", "factor_id": factor_id}]}
    ).stand_ins})  # fmt: skip
    with pytest.raises(Refusal, match=re.escape(words)):
        check_profile(load_registry(Path("none.csv")), named)


@pytest.mark.parametrize(
    ("factor_id", "words"),
    [
        ("EL-CN-EXMK-2022", None),
        ("EL-PROV-SH-2021", "EL-PROV-SH-2021 is of family avg, expected a row of exmk"),
    ],
)
def test_a_stand_in_of_the_market_based_view_is_of_its_own_family(factor_id: str, words: str | None) -> None:
    entry = {"year": 2020, "purpose": "electricity_market", "factor_id": factor_id}
    named = RegionProfile.model_validate(profile().model_dump() | {"stand_ins": [entry]})
    if words is None:
        check_profile(load_registry(Path("none")), named)
        return
    with pytest.raises(Refusal) as refused:
        check_profile(load_registry(Path("none")), named)
    assert words in refused.value.reason.en
