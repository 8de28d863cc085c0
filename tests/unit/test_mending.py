"""Corrections and code mappings as files are read: what applies, what no longer does, and what stays visible."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from ingestion.account import Delivery
from ingestion.contracts.codes import CodeMapping
from ingestion.contracts.corrections import Correction
from ingestion.contracts.messages import Refusal
from ingestion.load import Loaded, Rules, load
from orchestration.declarations import load_codes, load_corrections

HEAD = "机构代码,单位名称,报告期,状态,版次,f101,f102,f110,f111,f120,f1109"
UNITS = "单位,,,,,m2,人,万kWh,元,m3,万kWh"


def correction(**fields: Any) -> Correction:
    given = {"id": "C1", "source": "direct_report", "institution": "X1", "item": "110", "year": 2021,
             "expect": "1.5", "unit": "kWh", "reason": "按电费核对", "reviewer": "王", **fields}  # fmt: skip
    return Correction.model_validate(given)


def mapping(**fields: Any) -> CodeMapping:
    given = {"source": "direct_report", "kind": "item", "found": "1109", "means": "110", "reason": "试用代码",
             "reviewer": "王", "since": "2026-11-21", **fields}  # fmt: skip
    return CodeMapping.model_validate(given)


def read(
    rules: Rules, text: str, corrections: Sequence[Correction] = (), codes: Sequence[CodeMapping] = ()
) -> Loaded:
    used = Rules(rules.layouts, rules.reference, list(corrections), list(codes))
    return load(Delivery("f", "direct_report", "a.csv"), text.encode(), used)


def line(period: str, electricity: str = "1.5", other: str = "") -> str:
    return f"{HEAD}\n{UNITS}\nX1,甲,{period},7,1,100,20,{electricity},9000,30,{other}\n"


def cells(found: Loaded, item: str) -> list[tuple[Any, ...]]:
    names = ("value_text", "unit_text", "corrected_number_text", "corrected_unit_text", "correction_id")
    return found.rows.filter(pl.col("item_code") == item).select(names).rows()


def test_a_unit_alone_can_be_mended(rules: Rules) -> None:
    found = read(rules, line("2021000"), [correction()])
    assert cells(found, "110") == [("1.5", "万kWh", "1.5", "kWh", "C1")]
    assert found.applied == {"C1": 1}


def test_a_month_and_a_quarter_of_one_number_are_two_periods(rules: Rules) -> None:
    month, quarter = correction(month=1), correction(id="C2", quarter=1)
    assert read(rules, line("2021001"), [month, quarter]).applied == {"C1": 1}
    assert read(rules, line("2021Q01"), [month, quarter]).applied == {"C2": 1}


def test_a_correction_of_a_mended_file_applies_to_nothing(rules: Rules) -> None:
    found = read(rules, line("2021000", electricity="0.00015"), [correction()])
    assert found.applied == {}
    assert cells(found, "110") == [("0.00015", "万kWh", None, None, None)]


def test_an_audit_value_can_be_mended(rules: Rules, checkout: Path) -> None:
    folder = checkout / "examples" / "district" / "clean" / "landing" / "energy_audit"
    path = sorted(folder.iterdir())[0]
    plain = load(Delivery("f", "energy_audit", path.name), path.read_bytes(), rules)
    row = plain.rows.filter((pl.col("item_code") == "electricity") & (pl.col("year") == 2021)).row(
        0, named=True
    )
    mend = correction(
        source="energy_audit", institution=row["institution_id"], item="electricity", expect=row["value_text"],
        value="7", unit=None,
    )  # fmt: skip
    used = Rules(rules.layouts, rules.reference, [mend])
    found = load(Delivery("f", "energy_audit", path.name), path.read_bytes(), used)
    assert found.applied["C1"] >= 1
    mended = found.rows.filter(pl.col("correction_id") == "C1").row(0, named=True)
    assert (mended["number_text"], mended["corrected_number_text"], mended["corrected_unit_text"]) == (
        row["number_text"], "7", row["unit_text"],
    )  # fmt: skip


@pytest.fixture
def meter_file(checkout: Path) -> bytes:
    folder = checkout / "examples" / "strangers" / "landing" / "metering" / "university-meters"
    return next(folder.rglob("*b40/gas/2018.csv")).read_bytes()


def test_the_unit_of_a_meter_is_mended_for_its_days_only(rules: Rules, meter_file: bytes) -> None:
    mend = Correction.model_validate(
        {"id": "M1", "source": "metering", "building": "b40", "item": "03000", "starts_on": "2018-05-11",
         "ends_on": "2018-05-13", "expect": "kWh", "unit": "m3", "reason": "已核实", "reviewer": "王"}
    )  # fmt: skip
    delivery = Delivery("f", "metering", "university-meters/UCam_Building_b40/gas/2018.csv")
    found = load(delivery, meter_file, Rules(rules.layouts, rules.reference, [mend]))
    assert found.applied == {"M1": 48}
    days = found.rows.filter(pl.col("unit_text") == "m3")["starts_at"].dt.date().unique().sort().to_list()
    assert [day.isoformat() for day in days] == ["2018-05-11", "2018-05-12"]
    mended_source = mend.model_copy(update={"expect": "ft3"})
    assert load(delivery, meter_file, Rules(rules.layouts, rules.reference, [mended_source])).applied == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"value": None, "unit": None},
        {"value": "约5"},
        {"institution": None},
        {"month": 1, "quarter": 1},
        {"source": "metering"},
        {"source": "metering", "institution": None, "building": "b", "starts_on": "2021-01-01", "value": "5"},
    ],
)
def test_a_correction_that_says_too_little_or_too_much_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        correction(**fields)


def test_one_line_settles_an_unknown_code_for_all_rows(rules: Rules) -> None:
    text = f"{HEAD}\n{UNITS}\n" + "".join(f"X{n},甲,2021000,7,1,100,20,,9000,30,{n}\n" for n in range(1, 4))
    before = read(rules, text)
    assert before.quarantine["reason_code"].to_list() == ["unknown_item_code"] * 3
    after = read(rules, text, codes=[mapping()])
    assert after.quarantine.height == 0
    rows = after.rows.filter(pl.col("item_code") == "110")
    assert rows.select("submitted_item_code", "number_text").rows() == [
        ("1109", "1"),
        ("1109", "2"),
        ("1109", "3"),
    ]
    assert after.rows.filter(pl.col("item_code") == "101")["submitted_item_code"].to_list() == [None] * 3
    # the empty cell of 110 is no row, so nothing stands twice
    assert after.settled == {("direct_report", None, "item", "1109"): 3}
    assert after.counts["cell"]["n_loaded"] == before.counts["cell"]["n_loaded"] + 3


def test_a_mapping_holds_for_its_source_and_form_only(rules: Rules) -> None:
    others = [mapping(source="energy_audit"), mapping(form="NY301")]
    found = read(rules, line("2021000", other="2"), codes=others)
    assert found.quarantine["reason_code"].to_list() == ["unknown_item_code"]
    assert not found.settled


def test_a_unit_is_read_as_what_it_means_and_stays_as_written(rules: Rules) -> None:
    text = line("2021000").replace("万kWh,元", "度电,元")
    assert read(rules, text).quarantine["reason_code"].to_list() == ["unknown_unit"]
    found = read(rules, text, codes=[mapping(kind="unit", found="度电", means="kWh")])
    assert found.quarantine.height == 0
    assert cells(found, "110") == [("1.5", "度电", None, "kWh", None)]
    both = read(
        rules, text, [correction(value="3", unit=None)], [mapping(kind="unit", found="度电", means="kWh")]
    )
    assert cells(both, "110") == [("1.5", "度电", "3", "kWh", "C1")]


def test_mappings_do_not_chain(rules: Rules) -> None:
    text = line("2021000", other="2")
    found = read(rules, text, codes=[mapping(means="150"), mapping(found="150", means="160")])
    assert found.rows.filter(pl.col("submitted_item_code") == "1109")["item_code"].to_list() == ["150"]
    assert found.settled == {("direct_report", None, "item", "1109"): 1}


def test_declarations_refuse_what_is_wrong_or_twice(tmp_path: Path) -> None:
    one = "- {source: direct_report, kind: item, found: '9', means: '110', reason: 核实过, reviewer: 王, since: 2026-11-21}\n"
    path = tmp_path / "codes.yml"
    assert load_codes(path) == []
    path.write_text(one, encoding="utf-8")
    assert [code.means for code in load_codes(path)] == ["110"]
    path.write_text(one + one, encoding="utf-8")
    with pytest.raises(Refusal) as twice:
        load_codes(path)
    assert twice.value.code == "codes_twice"
    assert "direct_report * item 9" in twice.value.reason.en
    path.write_text(one.replace("kind: item", "kind: colour"), encoding="utf-8")
    with pytest.raises(Refusal) as wrong:
        load_codes(path)
    assert wrong.value.code == "bad_codes"
    path = tmp_path / "corrections.yml"
    path.write_text("- 5\n", encoding="utf-8")
    with pytest.raises(Refusal):
        load_corrections(path)
