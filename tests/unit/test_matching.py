"""Matching: names taken apart, what is sure and what waits, pairs with known answers, and what a match does to a row."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError

from examples.matching_pairs import chinese, measured, portfolio
from ingestion.account import Delivery
from ingestion.contracts.matches import MatchDecision
from ingestion.layouts.model import Layout
from ingestion.load import Loaded, Rules, load
from ingestion.matching.addresses import read_address
from ingestion.matching.linking import Register
from ingestion.matching.names import NameReader, Region, arabic, common_prefix
from ingestion.matching.settling import Matching

REGIONS = (
    Region("310000", "上海市"),
    Region("310118", "青浦区"),
    Region("310118102", "朱家角镇"),
    Region("310118103", "练塘镇"),
)
NAMES = NameReader(REGIONS)
ENTRIES = pl.DataFrame(
    [
        ("12310118YY1000003X", "上海市青浦区教育局", "310118", "青浦区松青路100号", None, None),
        ("12310118YY1000011C", "青浦区第一小学", "310118102", "松青路20号", "12310118YY1000003X", "42500"),
        ("12310118YY1000020A", "青浦区第二小学", "310118103", "松青路二〇二号", "12310118YY1000003X", None),
        ("12310118YY1000038H", "练塘镇中心小学", "310118103", "章练路1号", "12310118YY1000003X", None),
        ("12310118YY1000046J", "朱家角镇中心小学", "310118102", "珠溪路1号", "12310118YY1000003X", None),
        (
            "12310118YY1000054K",
            "青浦区碧塘小学（东校区）",
            "310118103",
            "碧塘路5号",
            "12310118YY1000003X",
            None,
        ),
        ("12310118YY1000062L", "青浦区第三小学", "310118103", "梅林街8号", "12310118YY1000003X", None),
    ],
    schema=["institution_id", "institution_name", "region_code", "address", "parent_id", "former_id"],
    orient="row",
)
EDUCATION, FIRST, SECOND, LIANTANG, ZHUJIAJIAO, BITANG, THIRD = ENTRIES["institution_id"].to_list()


@pytest.fixture(scope="module")
def register() -> Register:
    return Register(ENTRIES, REGIONS)


def found(register: Register, **said: str) -> tuple[str | None, bool, list[str], list[str]]:
    row = register.match(pl.DataFrame([{"row_id": 7, **said}])).row(0, named=True)
    assert row["row_id"] == 7
    return row["institution_id"], row["is_sure"], row["agreed"], row["differed"]


@pytest.mark.parametrize(
    ("written", "digits"), [("二〇", "20"), ("第十二", "第12"), ("一百零五", "105"), ("二〇二一", "2021"), ("青浦", "青浦")]
)  # fmt: skip
def test_chinese_numerals_are_digits(written: str, digits: str) -> None:
    assert arabic(written) == digits


@pytest.mark.parametrize(
    "written",
    [
        "青浦区第一小学",
        "青浦一小",
        "上海市青浦区第一小学",
        "青浦 第一小学",
        "第1小学",
        "上海青浦区第一小学（盖章）",
    ],
)
def test_one_school_however_it_is_written(written: str) -> None:
    name = NAMES.read(written, "310118")
    assert (name.core, name.number, name.kind, name.proper) == ("1小学", "1", "小学", None)


@pytest.mark.parametrize("written", ["上海市青浦区教育局", "青浦区教育局", "青浦教育局", "青浦教委"])
def test_one_bureau_however_it_is_written(written: str) -> None:
    assert (NAMES.read(written).core, NAMES.read(written).place) == ("教育局", "310118")


def test_brackets_of_a_campus_are_part_of_the_name_and_those_of_a_child_name_the_child() -> None:
    assert (
        NAMES.read("青浦区碧塘小学（东校区）").core
        == NAMES.read("青浦碧塘小学(东校区)").core
        == "碧塘小学东校区"
    )
    paid = NAMES.read("青浦区教育局（第一小学）")
    assert (paid.core, paid.payer, paid.place) == ("1小学", "青浦区教育局", "310118")
    assert NAMES.read("青浦区教育局代付碧塘小学").core == "碧塘小学"


def test_a_town_of_two_districts_is_known_only_by_what_stands_around_it() -> None:
    names = NameReader([Region("990100", "甲区"), Region("990200", "乙区"), Region("990100101", "白川镇"), Region("990200105", "白川镇")])  # fmt: skip
    assert names.read("白川镇中心小学").place is None
    assert names.read("乙区白川镇中心小学").place == "990200105"
    assert names.read("白川镇中心小学", "990100").place == "990100101"


def test_a_school_named_after_its_street_keeps_the_street() -> None:
    assert NAMES.read("青浦路小学").core == "青浦路小学"


def test_words_that_every_name_of_a_register_begins_with_say_nothing() -> None:
    names = ["示例区梅湾统计局", "示例区桂洲建设局", "示例区碧桥小学", "其他学校"]
    assert common_prefix(names, 0.3) == "示例区"
    assert NameReader((), "示例区").read("示例区梅湾统计局").core == NameReader(()).read("梅湾统计局").core


@pytest.mark.parametrize(
    ("written", "street", "house"),
    [
        ("青浦区练塘镇章练路12号", "章练路", "12"),
        ("章练路１２号３楼", "章练路", "12"),
        ("外青松公路二〇二号", "外青松公路", "202"),
        ("202弄15号", "202弄", "15"),
        ("000078024 N Filbert Highway", "N FILBERT HWY", "78024"),
        ("78024 North Filbert Hihgway", "N FILBERT HWY", "78024"),
    ],
)
def test_addresses_are_taken_apart(written: str, street: str, house: str) -> None:
    address = read_address(written, NAMES)
    assert (address.street, address.house) == (street, house)


def test_keys_come_first_also_old_ones_and_those_with_letters_for_digits(register: Register) -> None:
    assert found(register, institution_id=FIRST.lower()) == (FIRST, True, ["code"], [])
    assert found(register, former_id="42500")[:3] == (FIRST, True, ["former code"])
    assert found(register, former_id="YY100002-0")[:3] == (SECOND, True, ["former code"])
    assert found(register, institution_id=SECOND.replace("0", "O"))[:3] == (SECOND, True, ["code with letters for digits"])  # fmt: skip
    assert found(register, institution_id="42500", institution_name="青浦区第二小学")[0] == FIRST


def test_a_name_with_its_place_is_sure_and_says_what_agreed(register: Register) -> None:
    assert found(register, institution_name="青浦教委") == (EDUCATION, True, ["name", "place"], [])
    assert found(register, institution_name="练塘中心校") == (LIANTANG, True, ["name", "place"], [])


def test_schools_of_one_name_in_two_towns_wait_until_the_town_is_told(register: Register) -> None:
    row = register.match(pl.DataFrame([{"row_id": 0, "institution_name": "中心小学"}])).row(0, named=True)
    assert not row["is_sure"]
    assert {row["institution_id"], row["rivals"][0]["institution_id"]} == {LIANTANG, ZHUJIAJIAO}
    assert row["match_weight"] == row["rivals"][0]["match_weight"]
    assert found(register, institution_name="中心小学", region_code="310118102")[:2] == (ZHUJIAJIAO, True)


def test_another_number_is_another_school(register: Register) -> None:
    institution, is_sure, _, differed = found(
        register, institution_name="青浦区第四小学", address="松青路20号"
    )
    assert (institution, is_sure, differed) == (FIRST, False, ["number or kind"])


def test_what_a_parent_pays_for_its_child_is_the_child_s(register: Register) -> None:
    child = found(register, institution_name="青浦区教育局", address="朱家角镇松青路20号")
    assert child[:2] == (FIRST, True)
    assert child[2] == ["name of the parent", "place", "address"]
    assert found(register, institution_name="青浦区教育局", address="松青路100号")[:2] == (EDUCATION, True)


def test_a_school_called_after_the_street_it_stands_in(register: Register) -> None:
    at_its_address = found(register, institution_name="青浦区梅林小学", address="梅林街8号")
    assert at_its_address[:3] == (THIRD, True, ["name after the street", "larger place", "address"])
    assert found(register, institution_name="青浦区梅林小学")[1] is False


def test_rows_do_not_change_each_other_s_score(register: Register) -> None:
    alone = register.match(pl.DataFrame([{"row_id": 1, "institution_name": "青浦一小"}]))
    names = ["青浦一小", "青浦一小", "青浦区第二小学", "无关单位", None]
    together = register.match(pl.DataFrame({"row_id": list(range(1, 6)), "institution_name": names}))
    assert together.filter(pl.col("row_id") == 1).equals(alone)
    assert together["institution_id"].to_list() == [FIRST, FIRST, SECOND, None, None]


def test_two_thousand_institutions_as_people_write_them(capsys: pytest.CaptureFixture[str]) -> None:
    pairs = chinese(2000)
    result = measured(pairs, Register(pairs.register, pairs.regions).match(pairs.rows))
    with capsys.disabled():
        print(f"\n2,000 Chinese institutions: {result}")
    assert (pairs.register.height, pairs.rows.height) == (2000, 2000)
    assert result.precision >= 0.99
    assert result.recall >= 0.90
    assert result.n_strangers_sure == 0


def test_a_portfolio_typed_again(capsys: pytest.CaptureFixture[str]) -> None:
    sample = Path(__file__).parents[1] / "data" / "property-portfolio" / "properties.csv"
    pairs = portfolio(sample)
    result = measured(pairs, Register(pairs.register, pairs.regions).match(pairs.rows))
    with capsys.disabled():
        print(f"\nportfolio of 512 properties: {result}")
    assert (pairs.register.height, pairs.rows.height) == (512, 512)
    assert result.precision >= 0.99
    assert result.recall >= 0.90
    assert result.n_strangers_sure == 0


LAYOUT = {
    "id": "bills.2023",
    "title": {"zh": "电费清单", "en": "power bills"},
    "source": "direct_report",
    "target": "values",
    "form": "NY201",
    "edition": "2020",
    "kind": "delimited",
    "recognise": {"columns": ["户名", "用电地址"]},
    "tables": [
        {
            "institution_found_by": ["institution_name", "address", "region_code"],
            "fields": {
                "institution_id": {"column": "代码", "optional": True},
                "institution_name": {"column": "户名"},
                "address": {"column": "用电地址", "optional": True},
                "region_code": {"column": "区划", "optional": True},
                "year": {"constant": "2023", "kind": "integer"},
                "period_kind": {"constant": "year"},
                "period_index": {"constant": "0", "kind": "integer"},
                "task_state": {"constant": "7"},
                "release_number": {"constant": "1", "kind": "integer"},
            },
            "values": [{"columns": "电量", "item": "110", "unit": {"constant": "kWh"}}],
        }
    ],
}
BILLS = f"""代码,户名,用电地址,区划,电量
{SECOND},随便,,,1
,青浦一小,,,2
,中心小学,,,3
,某某公司,,,4
99999,外来单位,,,5
"""


def read(rules: Rules, *decisions: MatchDecision) -> Loaded:
    used = Rules([Layout.model_validate(LAYOUT)], rules.reference)
    used.matching = Matching(ENTRIES, REGIONS, list(decisions))
    loaded = load(Delivery("f1", "direct_report", "bills.csv"), BILLS.encode(), used)
    assert loaded.refusal is None, loaded.refusal
    for unit, n in loaded.counts.items():
        assert n["n_read"] == n["n_loaded"] + n["n_quarantined"] + n["n_ignored"], (unit, n)
    return loaded


def decision(**said: str) -> MatchDecision:
    return MatchDecision.model_validate(
        {"source": "direct_report", "reason": "电话核实", "reviewer": "王", "since": "2026-11-21", **said}
    )


def test_a_sure_match_gives_the_row_its_key_and_a_note_and_the_rest_waits(rules: Rules) -> None:
    loaded = read(rules)
    assert loaded.rows.select("row_number", "institution_id", "value_text").rows() == [
        (2, SECOND, "1"),
        (3, FIRST, "2"),
        (6, "99999", "5"),
    ]
    assert loaded.matches.select("row_number", "match_state").rows() == [
        (3, "sure"),
        (4, "waiting"),
        (5, "waiting"),
        (6, "unregistered"),
    ]
    assert loaded.quarantine.select("row_number", "reason_code", "found").rows() == [
        (4, "institution_not_sure", "中心小学"),
        (5, "institution_not_sure", "某某公司"),
    ]
    notes = loaded.notes.filter(pl.col("note_code") == "institution_matched")
    assert notes.select("row_number", "found").rows() == [(3, f"青浦一小 → {FIRST} 青浦区第一小学")]


def test_one_line_settles_a_row_overrules_a_match_and_without_it_all_is_as_before(rules: Rules) -> None:
    before = read(rules)
    settled = read(
        rules,
        decision(name="中心小学", means=ZHUJIAJIAO),
        decision(name="某某公司", means="none"),
        decision(name="青浦一小", means=SECOND),
    )
    assert settled.rows.select("row_number", "institution_id").rows() == [(2, SECOND), (3, SECOND), (4, ZHUJIAJIAO), (6, "99999")]  # fmt: skip
    assert settled.matches["match_state"].to_list() == ["declared", "declared", "none", "unregistered"]
    assert settled.quarantine["row_number"].to_list() == [5]
    after = read(rules)
    assert after.rows.equals(before.rows)
    assert after.matches.equals(before.matches)
    assert after.quarantine.equals(before.quarantine)


def test_a_line_that_means_no_entry_of_the_register_settles_nothing(rules: Rules) -> None:
    loaded = read(rules, decision(name="中心小学", means="12310118YY0000000X"))
    assert loaded.matches["match_state"].to_list() == ["sure", "waiting", "waiting", "unregistered"]


def test_a_decision_names_a_row_and_says_what_it_means() -> None:
    with pytest.raises(ValidationError, match="names a row"):
        decision(means=FIRST)
    with pytest.raises(ValidationError):
        decision(name="中心小学", means="")
