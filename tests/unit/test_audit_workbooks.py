"""Energy-audit workbooks: every table of the full report, another agency's form, and what spreadsheets hide."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from openpyxl.workbook import Workbook

from ingestion.account import Delivery
from ingestion.load import Loaded, Rules, load

LANDED = Path(__file__).parents[2] / "examples" / "district" / "clean" / "landing" / "energy_audit"
FULL = LANDED / "12310118YY11021221_能源审计_2021.xlsx"
PAIRS = LANDED / "12310118YY1077334B_能源审计_2021.xlsx"
DRAFT = LANDED / "12310118YY11021221_能源审计_2021_送审.xlsx"


def read(rules: Rules, data: bytes, name: str = "a.xlsx") -> Loaded:
    found = load(Delivery("f1", "energy_audit", name), data, rules)
    assert found.refusal is None, found.refusal
    for unit, n in found.counts.items():
        assert n["n_read"] == n["n_loaded"] + n["n_quarantined"] + n["n_ignored"], (unit, n)
    return found


def saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def computed(path: Path) -> Workbook:
    """The workbook with the values of its formulas, as a program leaves it that knows no formulas."""
    return openpyxl.load_workbook(path, data_only=True)


def test_every_table_of_the_full_report_goes_to_its_own_target(rules: Rules) -> None:
    found = read(rules, FULL.read_bytes())
    assert found.layout is not None
    assert found.layout.id == "energy_audit.workbook_v2"
    heights = {target: frame.height for target, frame in found.tables.items()}
    assert heights == {"values": 111, "buildings": 2, "meters": 3, "equipment": 4, "measures": 4}
    tables = set(found.tables["values"]["table_code"])
    assert tables == {"2-1", "7-2", "8-1", "9-1", "9-2"}
    buildings = found.tables["buildings"].select(
        "building_name", "built_year", "structure_type", "floor_area_unit", "heated_area_text"
    )
    assert buildings.row(1) == ("行政后勤楼", 1996, "砖混结构", "m2", None)
    equipment = found.tables["equipment"].select("equipment_id", "rated_power_text", "rated_power_unit", "n_units")
    assert equipment.rows()[2] == ("L-01", "36", "W", 1800)
    assert found.notes.height == 0
    assert found.quarantine.height == 0


def test_the_release_of_a_report_stands_on_its_cover(rules: Rules) -> None:
    columns = ["audit_year", "release_number", "release_status"]
    final, draft = (read(rules, path.read_bytes()).tables["measures"] for path in (FULL, DRAFT))
    assert final.select(columns).row(0) == (2021, 2, "final")
    assert draft.select(columns).row(0) == (2021, 1, "draft")
    assert (str(final["released_on"][0]), str(draft["released_on"][0])) == ("2022-03-01", "2022-01-20")


def test_pairs_of_years_subtotals_and_footnotes_of_another_agency(rules: Rules) -> None:
    found = read(rules, PAIRS.read_bytes())
    assert found.layout is not None
    assert found.layout.id == "energy_audit.supplier_b"
    values = found.tables["values"]
    assert set(values["year"]) == {2020, 2021}
    electricity = values.filter(values["item_code"] == "electricity").sort("year")
    assert electricity["unit_text"].to_list() == ["万kWh", "万kWh"]
    assert not {"小计", "一、能源"} & set(values["item_code"])
    assert set(values.filter(values["item_code"] == "gasoline_cost")["unit_text"]) <= {"元"}
    states = found.tables["measures"].select("table_code", "measure_status", "implemented_year").rows()
    assert states == [("10-1", "done", 2020), ("10-2", "potential", None), ("10-3", "planned", 2023)]
    assert found.notes.height == 0


def test_a_cached_value_of_a_formula_is_its_value(rules: Rules) -> None:
    sheet = openpyxl.load_workbook(FULL)["7-2 三年能源消费"]
    assert str(sheet["G5"].value).startswith("=SUM")
    values = read(rules, FULL.read_bytes()).tables["values"]
    at = (values["row_number"] == 5) & (values["column_number"] == 7) & (values["table_code"] == "7-2")
    assert float(values.filter(at)["number_text"][0]) == computed(FULL)["7-2 三年能源消费"]["G5"].value


def test_a_formula_that_nobody_computed_is_quarantined_and_never_zero(rules: Rules) -> None:
    """openpyxl writes formulas without their values."""
    found = read(rules, saved(openpyxl.load_workbook(FULL)))
    bad = found.quarantine.filter(found.quarantine["reason_code"] == "formula_without_value")
    assert bad.select("sheet", "cell", "found").rows() == [
        ("7-2 三年能源消费", "G5", "=SUM('9-1 逐月'!B5:B16)")
    ]
    book = computed(FULL)
    book["5-1 用能设备"]["E4"] = "=1+1"
    found = read(rules, saved(book))
    assert found.quarantine.select("cell", "unit", "reason_code", "found").rows() == [
        (None, "record", "formula_without_value", "=1+1")
    ]
    assert found.tables["equipment"].height == 3


def test_the_zero_that_a_program_leaves_beside_an_uncomputed_formula_is_no_value(rules: Rules) -> None:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    front = book.add_worksheet("封面")
    for row, (label, text) in enumerate(
        [("统一社会信用代码", "A1"), ("单位名称", "甲"), ("审计期", "2021年"), ("报告日期", "2022-03-01")]
    ):
        front.write_row(row, 0, [label, text])
    basics = book.add_worksheet("2-1")
    basics.write_row(0, 0, ["项目", "单位", "2021年"])
    basics.write_row(1, 0, ["建筑面积", "m2"])
    basics.write_formula(1, 2, "=500+500")
    basics.write_row(2, 0, ["用能人数", "人", 30])
    energy = book.add_worksheet("7-2")
    energy.write_row(0, 0, ["能源种类", "单位", "2021年", "2021年"])
    energy.write_row(1, 2, ["消费量", "费用(元)"])
    energy.write_row(2, 0, ["电力", "kWh", 10, 7])
    book.close()
    found = read(rules, out.getvalue())
    assert found.quarantine.select("cell", "reason_code", "found").rows() == [
        ("C2", "formula_without_value", "=500+500")
    ]
    assert sorted(found.tables["values"]["number_text"]) == ["10", "30", "7"]


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_hidden_sheets_are_read_or_ignored_by_name_and_never_in_silence(rules: Rules, state: str) -> None:
    book = computed(FULL)
    copied = book.copy_worksheet(book["7-2 三年能源消费"])
    copied.title = "7-2 旧"
    book.move_sheet(copied, -(len(book.sheetnames) - 1))
    copied.sheet_state = state
    copied["C5"] = 99999
    book["5-1 用能设备"].sheet_state = state
    found = read(rules, saved(book))
    notes = dict(found.notes.select("sheet", "note_code").rows())
    # the copy in front is not taken for the table, the hidden list of equipment is read and said, 参数 is named
    assert notes == {"7-2 旧": "unknown_sheet", "5-1 用能设备": "hidden_sheet_read"}
    assert "99999" not in found.tables["values"]["number_text"].to_list()


def test_merged_cells_of_a_block_hold_for_its_lines_and_unknown_units_do_not_pass(rules: Rules) -> None:
    book = computed(FULL)
    sheet = book["5-1 用能设备"]
    sheet["B5"] = None
    sheet.merge_cells("B4:B5")
    sheet["G4"] = "马力"
    found = read(rules, saved(book))
    assert found.tables["equipment"].select("equipment_id", "equipment_kind").row(0) == ("A-02", "暖通空调")
    assert found.quarantine.select("reason_code", "found").rows() == [("unknown_unit", "马力")]
    assert found.notes["note_code"].to_list() == ["merged_cell_filled"]


def test_a_report_without_its_later_tables_is_read_as_far_as_it_goes(rules: Rules) -> None:
    book = computed(FULL)
    for name in book.sheetnames:
        if name[0] in "4589" or name.startswith("10-"):
            del book[name]
    found = read(rules, saved(book))
    assert set(found.tables) == {"values", "buildings"}
    assert set(found.tables["values"]["table_code"]) == {"2-1", "7-2"}
