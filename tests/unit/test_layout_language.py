"""Keys of the layout language that carry messy tables, each on a small table written out by hand."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import pytest
import yaml

from ingestion.account import Delivery
from ingestion.contracts.messages import Refusal
from ingestion.layouts.files import load_layouts
from ingestion.layouts.model import Layout
from ingestion.load import Loaded, Rules, load
from ingestion.reference import load_reference

RETURNS = """
id: returns
title: {zh: 报表, en: returns}
source: direct_report
target: values
form: NY201
edition: "2020"
kind: delimited
separator: "$"
recognise: {columns: [code, area]}
tables:
  - fields:
      institution_id: {column: code}
      institution_name: {column: name, optional: true}
      region_code: {column: area, optional: true}
      year: {constant: "2020", kind: integer}
      period_kind: {constant: year}
      period_index: {constant: "0", kind: integer}
    values:
      - {columns: power, item: "110", unit: {constant: kWh}}
    ignore_columns:
      - {columns: kind, why: {zh: 不用, en: not used}}
"""


def rules_of(text: str, **table: object) -> Rules:
    layout = yaml.safe_load(text)
    layout["tables"][0] |= table
    return Rules([Layout.model_validate(layout)], load_reference())


def read(rules: Rules, data: str | bytes, path: str = "a.csv") -> Loaded:
    layout = rules.layouts[0]
    content = data.encode() if isinstance(data, str) else data
    found = load(Delivery("f1", layout.source, path), content, rules)
    assert found.refusal is None, found.refusal
    for unit, n in found.counts.items():
        assert n["n_read"] == n["n_loaded"] + n["n_quarantined"] + n["n_ignored"], (unit, n)
    return found


SHIFT = {
    "where": "area",
    "expected": "NORTH|SOUTH",
    "column": "name",
    "until": "kind",
    "joined_by": ",",
    "why": {"zh": "名称中的逗号", "en": "a comma in the name"},
}


def test_a_row_that_a_separator_shifted_is_joined_and_moved_back_and_says_so() -> None:
    text = "code$name$area$kind$power\nA1$TEES$ ESK AND WEAR$NORTH$7\nA2$LEEDS$SOUTH$ACUTE$8\n"
    found = read(rules_of(RETURNS, shifted_rows=[SHIFT]), text)
    assert found.rows.select("institution_id", "institution_name", "region_code", "number_text").rows() == [
        ("A1", "TEES,ESK AND WEAR", "NORTH", "7"),
        ("A2", "LEEDS", "SOUTH", "8"),
    ]
    assert found.notes.select("note_code", "cell", "found").rows() == [
        ("shifted_row_rejoined", "B2", "TEES,ESK AND WEAR")
    ]
    assert found.quarantine.height == 0


def test_without_a_last_column_the_whole_rest_of_the_row_moves() -> None:
    shift = {name: text for name, text in SHIFT.items() if name != "until"}
    text = "code$name$area$kind$power\nA1$TEES$ ESK AND WEAR$NORTH$ACUTE$7\nA2$LEEDS$SOUTH$ACUTE$8\n"
    found = read(rules_of(RETURNS, shifted_rows=[shift]), text)
    assert found.rows.select("institution_name", "number_text").rows() == [
        ("TEES,ESK AND WEAR", "7"),
        ("LEEDS", "8"),
    ]
    assert found.quarantine.height == 0


def test_a_negative_amount_is_read_where_the_layout_calls_it_net() -> None:
    text = "code$name$area$kind$power\nA1$X$NORTH$K$-7.5\nA2$Y$SOUTH$K$-1x\nA3$Z$SOUTH$K$-0\n"
    net = {"columns": "power", "item": "110", "unit": {"constant": "kWh"}}
    found = read(rules_of(RETURNS, values=[net]), text)
    assert found.quarantine.select("reason_code", "cell").rows() == [
        ("negative_amount", "E2"),
        ("not_a_number", "E3"),
    ]
    found = read(rules_of(RETURNS, values=[net | {"net": True}]), text)
    assert found.rows.select("institution_id", "number_text").rows() == [("A1", "-7.5"), ("A3", "-0")]
    assert found.quarantine.select("reason_code", "cell").rows() == [("not_a_number", "E3")]
    assert found.notes.select("note_code", "cell", "found").rows() == [("net_amount_negative", "E2", "-7.5")]


def test_a_line_that_stands_twice_is_read_twice_and_noted() -> None:
    text = "code$name$area$kind$power\nA1$X$NORTH$K$7\nA2$Y$SOUTH$K$8\nA1$X$NORTH$K$7\nA1$X$NORTH$K$9\n"
    found = read(rules_of(RETURNS), text)
    assert found.rows.height == 4
    assert found.notes.select("note_code", "row_number", "found").rows() == [("record_repeated", 4, "2")]


def test_a_row_that_no_rule_can_tell_to_be_shifted_is_left_alone() -> None:
    text = "code$name$area$kind$power\nA1$TEES$EAST$WEST$7\n"
    found = read(rules_of(RETURNS, shifted_rows=[SHIFT]), text)
    assert found.rows["region_code"].to_list() == ["EAST"]
    assert found.notes.height == 0


def test_cells_behind_the_last_header_are_ignored_only_as_the_layout_says() -> None:
    text = "code$name$area$kind$power\nA1$X$NORTH$K$7$$0\nA2$Y$SOUTH$K$8$$5\n"
    rule = {"matches": "0", "why": {"zh": "多余的零", "en": "a stray zero"}}
    found = read(rules_of(RETURNS, unnamed_columns=rule), text)
    assert found.rows["institution_id"].to_list() == ["A1"]
    assert found.quarantine.select("reason_code", "cell", "found").rows() == [
        ("cell_without_header", "G3", "5")
    ]
    assert found.counts["cell"] == {"n_read": 17, "n_loaded": 4, "n_quarantined": 6, "n_ignored": 7}


def test_texts_that_stand_for_an_empty_cell_are_empty() -> None:
    text = "code$name$area$kind$power\nA1$NA$NORTH$K$NA\nA2$Y$SOUTH$K$8\n"
    found = read(rules_of(RETURNS, nothing=["NA"]), text)
    assert found.rows.select("institution_id", "number_text").rows() == [("A2", "8")]
    assert found.records["n_cells"].to_list() == [4, 4]
    assert found.quarantine.height == 0


PAIRS = """
id: pairs
title: {zh: 本期同期, en: this period and the last}
source: direct_report
target: values
form: NY201
edition: "2020"
kind: workbook
recognise: {columns: ['本期\\|用电.*']}
tables:
  - header_rows: [1, 2]
    fields:
      institution_id: {column: 代码}
      year: {column: 年份, kind: integer}
    values:
      - columns: '本期\\|(?P<item>用电|用水)(?P<period_index>\\d+)月'
        item: '\\g<item>'
        unit: {constant: kWh}
        fields: {period_kind: month}
        lookup: {用电: "110", 用水: "120"}
      - columns: '同期\\|用电(?P<period_index>\\d+)月'
        item: "110"
        unit: {constant: kWh}
        fields: {period_kind: month}
        year_offset: -1
"""


def workbook(*sheets: tuple[str, list[list[object]], list[str]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows, merged in sheets:
        page = book.create_sheet(name)
        for row in rows:
            page.append(row)
        for cells in merged:
            page.merge_cells(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_columns_of_this_period_and_the_last_say_their_year_and_month() -> None:
    head: list[list[object]] = [
        ["代码", "年份", "本期", None, "同期", None],
        [None, None, "用电1月", "用电2月", "用电1月", "用电2月"],
        ["A1", 2021, 10, 20, 9, 19],
    ]
    found = read(rules_of(PAIRS), workbook(("表", head, ["C1:D1", "E1:F1"])), "a.xlsx")
    cells = found.rows.select("year", "period_kind", "period_index", "item_code", "number_text")
    assert cells.rows() == [
        (2021, "month", 1, "110", "10"),
        (2021, "month", 2, "110", "20"),
        (2020, "month", 1, "110", "9"),
        (2020, "month", 2, "110", "19"),
    ]


TWO_TABLES = """
id: two_tables
title: {zh: 一页两表, en: two tables on one sheet}
source: registers
target: institutions
form: register
edition: "1"
kind: workbook
recognise: {columns: [代码, 建筑代码]}
tables:
  - header_at: '^表一'
    header_rows: [2]
    fields:
      institution_id: {column: 代码}
      institution_name: {column: 名称}
  - target: buildings
    header_at: '^表二'
    header_rows: [2]
    fields:
      building_code: {column: 建筑代码}
      building_name: {column: 建筑名称}
"""
PAGE: list[list[object]] = [
    ["名录"],
    ["表一 单位"],
    ["代码", "名称"],
    ["A1", "甲"],
    ["A2", "乙"],
    ["表二 建筑"],
    ["建筑代码", "建筑名称"],
    ["310118A001", "一号楼"],
]


def test_two_tables_of_one_sheet_go_to_their_own_targets() -> None:
    found = read(rules_of(TWO_TABLES), workbook(("页", PAGE, [])), "a.xlsx")
    assert found.tables["institutions"].select("institution_id", "sheet", "row_number").rows() == [
        ("A1", "页", 4),
        ("A2", "页", 5),
    ]
    assert found.tables["buildings"].select("building_code", "row_number").rows() == [("310118A001", 8)]
    assert found.n_rows == 3
    assert found.counts["cell"] == {"n_read": 13, "n_loaded": 6, "n_quarantined": 0, "n_ignored": 7}


def test_a_target_that_the_source_does_not_have_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.yml").write_text(
        TWO_TABLES.replace("target: buildings", "target: wells"), encoding="utf-8"
    )
    with pytest.raises(Refusal, match="wells"):
        load_layouts([tmp_path])


def test_places_in_documents_are_paths(rules: Rules) -> None:
    xml = """<root><data><Build id="310118A001"><EnergyItemHourResult><F_EnergyItemCode>01000</F_EnergyItemCode>
    <F_StartHour>2021-01-01 00:00:00</F_StartHour><F_EndHour>2021-01-01 01:00:00</F_EndHour>
    <F_HourValue>abc</F_HourValue></EnergyItemHourResult></Build></data></root>"""
    found = load(Delivery("f1", "metering", "a_Energy.xml"), xml.encode(), rules)
    assert found.quarantine["cell"].to_list() == [
        "(/" + "root/data/Build/EnergyItemHourResult)[1]/F_HourValue"
    ]
    json = """{"reportCode": "NY201_2020", "units": {"110": "kWh"}, "documents": [{"respondentId": "X1",
    "periodId": "2021000", "taskStatus": "7", "release": 1, "rowData": {"110": "abc"}}]}"""
    found = load(Delivery("f2", "direct_report", "a_rowdata.json"), json.encode(), rules)
    assert found.quarantine["cell"].to_list() == ["$.documents[0].rowData.110"]


# ---------- editions, headers, days

BILLS = """
id: bills
title: {zh: 账单, en: bills}
source: metering
target: readings
reading_kind: interval
form: bills
edition: "1"
kind: delimited
recognise: {columns: [meter, used], without: [new column]}
tables:
  - fields:
      building_code: {constant: b1}
      meter_id: {column: meter}
      starts_at: {column: from, kind: datetime, format: "%Y-%m-%d"}
      ends_at: {column: to, kind: datetime, format: "%Y-%m-%d", whole_day: true}
    values:
      - {columns: used, item: "01000", unit: {constant: kWh}}
    ignore_columns:
      - {columns: remark, why: {zh: 说明, en: remarks}}
"""


def refused(rules: Rules, data: str) -> Refusal:
    found = load(Delivery("f1", rules.layouts[0].source, "a.csv"), data.encode(), rules)
    assert found.refusal is not None
    return found.refusal


def test_a_bill_that_names_its_last_day_ends_at_the_midnight_after_it() -> None:
    rows = read(rules_of(BILLS), "meter,from,to,used\nm1,2020-02-01,2020-02-29,7\n").rows
    assert rows["starts_at"][0].isoformat() == "2020-02-01T00:00:00"
    assert rows["ends_at"][0].isoformat() == "2020-03-01T00:00:00"


def test_a_column_of_another_edition_keeps_a_layout_away() -> None:
    found = refused(rules_of(BILLS), "meter,from,to,used,new column\nm1,2020-02-01,2020-02-29,7,1\n")
    assert found.code == "unknown_layout"
    assert "without new column" in found.reason.en


@pytest.mark.parametrize("header", ["meter,from,to,used,used", "meter,meter,to,used,from"])
def test_a_header_over_two_columns_that_are_read_is_refused(header: str) -> None:
    found = refused(rules_of(BILLS), header + "\nm1,2020-02-01,2020-02-29,7,8\n")
    assert found.code == "header_twice"


def test_a_header_over_two_columns_that_nobody_reads_is_no_matter() -> None:
    data = "meter,from,to,used,remark,remark\nm1,2020-02-01,2020-02-29,7,a,b\n"
    assert read(rules_of(BILLS), data).rows["number_text"].to_list() == ["7"]


def test_a_document_that_is_the_list_itself() -> None:
    text = BILLS.replace("kind: delimited", "kind: json").replace(
        "  - fields:", "  - records: $\n    fields:"
    )
    data = """[{"meter": "m1", "from": "2020-02-01", "to": "2020-02-29", "used": 7.50},
    {"meter": "m1", "from": "2020-03-01", "to": "2020-03-31", "used": "x"}]"""
    found = read(rules_of(text), data, "a.json")
    assert found.rows["number_text"].to_list() == ["7.50"]
    assert found.quarantine["cell"].to_list() == ["$[1].used"]
    assert found.counts["cell"]["n_read"] == 8
    envelope = f'{{"rows": {data}}}'
    assert load(Delivery("f1", "metering", "a.json"), envelope.encode(), rules_of(text)).refusal is not None


def test_the_year_of_a_date_in_either_form() -> None:
    fields = yaml.safe_load(RETURNS)["tables"][0]["fields"]
    fields["year"] = {"column": "ends", "kind": "year", "format": ["%m/%d/%y", "%m/%d/%Y"]}
    rules = rules_of(RETURNS, fields=fields)
    found = read(rules, "code$area$ends$power\nA1$N$12/31/10$1\nA2$N$06/30/2011$2\nA3$N$12/31/1880$3\n")
    assert found.rows["year"].to_list() == [2010, 2011]
    assert found.quarantine.select("reason_code", "found").rows() == [("bad_year", "12/31/1880")]


# ---------- several kinds of records in one XML document

AUDIT = """
id: audit
title: {zh: 审计, en: audit}
source: energy_audit
target: values
form: audit
edition: "1"
kind: xml
recognise: {columns: [Reading]}
tables:
  - records: a/Scenarios/Scenario[Kind='now']/Series
    paths: {resource: referred(Of/@IDref)/Resource, unit: referred(Of/@IDref)/Unit, kind: ../Kind, plan: referring(@ID)/Plan}
    fields:
      institution_id: {element: "a/Ids/Id[Of='city']/Value"}
      institution_name: {column: plan, optional: true}
      year: {column: Year, kind: integer}
      table_code: {column: kind}
      resource: {column: resource}
    values:
      - {columns: Reading, item: "{resource}", unit: {column: unit}}
    ignore_columns:
      - {columns: ".*@.*", why: {zh: 编号, en: ids}}
  - records: a/Areas/Area[Kind='gross']
    fields:
      institution_id: {element: "a/Ids/Id[Of='city']/Value"}
      year: {constant: "2020", kind: integer}
      table_code: {constant: area}
    values:
      - {columns: Size, item: floor_area, unit: {constant: m2}}
    ignore_columns:
      - {columns: Kind, why: {zh: 类别, en: kind}}
"""
DOCUMENT = """<?xml version="1.0"?>
<x:a xmlns:x="urn:one" version="2"><!-- made by hand -->
  <x:Ids><x:Id><x:Of>state</x:Of><x:Value>9</x:Value></x:Id><x:Id><x:Of>city</x:Of><x:Value>7</x:Value></x:Id></x:Ids>
  <x:Areas><x:Area><x:Kind>gross</x:Kind><x:Size>50</x:Size></x:Area><x:Area><x:Kind>net</x:Kind><x:Size>40</x:Size></x:Area></x:Areas>
  <x:Scenarios>
    <x:Uses><x:Use ID="u1"><x:Resource>electricity</x:Resource><x:Unit>kWh</x:Unit></x:Use>
      <x:Use ID="u2"><x:Resource>heat</x:Resource><x:Unit>GJ</x:Unit></x:Use></x:Uses>
    <x:Scenario><x:Kind>now</x:Kind>
      <x:Series ID="s1"><x:Year>2020</x:Year><x:Reading>11.5</x:Reading><x:Of IDref="u1"/></x:Series>
      <x:Series ID="s2"><x:Year>2020</x:Year><x:Reading>about 3</x:Reading><x:Of IDref="u2"/></x:Series></x:Scenario>
    <x:Scenario><x:Kind>target</x:Kind><x:Series ID="s3"><x:Year>2020</x:Year><x:Reading>5</x:Reading><x:Of IDref="u1"/></x:Series></x:Scenario>
    <x:Link IDref="s1"><x:Plan>new lamps</x:Plan></x:Link>
  </x:Scenarios>
</x:a>"""


def test_one_document_gives_records_of_several_kinds_joined_by_id() -> None:
    found = read(rules_of(AUDIT), DOCUMENT, "a.xml")
    columns = ("institution_id", "institution_name", "table_code", "item_code", "number_text", "unit_text")
    assert found.rows.select(columns).rows() == [
        ("7", "new lamps", "now", "electricity", "11.5", "kWh"),
        ("7", None, "area", "floor_area", "50", "m2"),
    ]
    assert found.quarantine.select("cell", "reason_code", "found").rows() == [
        ("(/a/Scenarios/Scenario[Kind='now']/Series)[2]/Reading", "not_a_number", "about 3")
    ]


def test_every_leaf_and_attribute_of_a_document_is_counted_once() -> None:
    counts = read(rules_of(AUDIT), DOCUMENT, "a.xml").counts
    # 4 texts of ids, 4 of areas, 4 of uses, 2 kinds, 6 of series, 1 plan; attributes: version, 2 + 3 ids, 3 + 1 references
    assert counts == {"cell": {"n_read": 31, "n_loaded": 4, "n_quarantined": 1, "n_ignored": 26}}


def test_an_attribute_inside_a_record_is_a_column_too() -> None:
    layout = yaml.safe_load(AUDIT)
    layout["tables"][0]["ignore_columns"] = []
    found = read(Rules([Layout.model_validate(layout)], load_reference()), DOCUMENT, "a.xml")
    unknown = {name for name in found.notes["found"] if "@" in name}
    assert unknown == {"@ID", "Of@IDref", "a@version"}


def test_a_path_that_is_no_xpath_is_refused_with_the_layout() -> None:
    layout = yaml.safe_load(AUDIT)
    layout["tables"][0]["paths"]["kind"] = "..[/Kind"
    with pytest.raises(ValueError, match="kind"):
        Layout.model_validate(layout)
