"""One file through recognition, mapping, validation and account: what loads, what is refused, and where it says so."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from ingestion import counting
from ingestion.account import Delivery
from ingestion.checks import failures
from ingestion.contracts.corrections import Correction
from ingestion.load import Loaded, Rules, load
from ingestion.reference import load_reference
from ingestion.sources import raw_tables

HEAD = "机构代码,单位名称,报告期,状态,版次,f101,f102,f110,f111,f120"
AUDIT = "examples/district/clean/landing/energy_audit/11310118YY10266419_能源审计_2021.xlsx"
UNITS = "单位,,,,,m2,人,万kWh,元,m3"


def read(rules: Rules, text: str | bytes, path: str = "a_f.csv", source: str = "direct_report") -> Loaded:
    data = text.encode() if isinstance(text, str) else text
    return load(Delivery("f1", source, path), data, rules)


def balances(loaded: Loaded) -> bool:
    return bool(loaded.counts) and all(
        n["n_read"] == n["n_loaded"] + n["n_quarantined"] + n["n_ignored"] for n in loaded.counts.values()
    )


def test_a_good_return_loads_cell_by_cell(rules: Rules) -> None:
    found = read(rules, f"{HEAD}\n{UNITS}\nX1,甲单位,2021000,7,1,100,20,1.5,9000,30\n")
    assert found.refusal is None
    assert found.layout is not None
    assert found.layout.id == "direct_report.ny201_2020_f"
    cells = found.rows.select(
        "item_code", "number_text", "unit_text", "row_number", "column_number", "period_kind"
    )
    assert cells.rows() == [
        ("101", "100", "m2", 3, 6, "year"),
        ("102", "20", "人", 3, 7, "year"),
        ("110", "1.5", "万kWh", 3, 8, "year"),
        ("111", "9000", "元", 3, 9, "year"),
        ("120", "30", "m3", 3, 10, "year"),
    ]
    assert balances(found)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_the_encoding_is_found_without_asking(rules: Rules, encoding: str) -> None:
    found = read(rules, f"{HEAD}\n{UNITS}\nX1,甲单位,2021000,7,1,100,20,1.5,9000,30\n".encode(encoding))
    assert found.refusal is None
    assert found.rows["institution_name"].unique().to_list() == ["甲单位"]
    assert balances(found)


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ("2021000", (2021, "year", 0)),
        ("2021003", (2021, "month", 3)),
        ("2021Q02", (2021, "quarter", 2)),
        ("2021", (2021, "year", 0)),
        ("2021-11", (2021, "month", 11)),
    ],
)
def test_periods_of_the_platform(rules: Rules, period: str, expected: tuple[int, str, int]) -> None:
    found = read(rules, f"{HEAD}\n{UNITS}\nX1,甲,{period},7,1,100,20,1.5,9000,30\n")
    assert found.rows.select("year", "period_kind", "period_index").unique().rows() == [expected]


def test_a_bad_cell_is_quarantined_at_its_place_and_the_rest_loads(rules: Rules) -> None:
    found = read(
        rules, f"{HEAD}\n{UNITS}\nX1,甲,2021000,7,1,100,20,约1.5,9000,30\nX2,乙,2021000,7,1,50,5,2,800,-3\n"
    )
    assert found.quarantine.select("cell", "reason_code", "found", "institution_id", "item_code").rows() == [
        ("H3", "not_a_number", "约1.5", "X1", "110"),
        ("J4", "negative_amount", "-3", "X2", "120"),
    ]
    assert found.rows.height == 8
    assert balances(found)
    assert found.quarantine["mend_zh"].null_count() == 0
    assert found.quarantine["expected_en"].null_count() == 0


def test_an_unknown_unit_and_an_unknown_item_are_quarantined(rules: Rules) -> None:
    units = UNITS.replace("m3", "斤")
    found = read(rules, f"{HEAD},f999\n{units},kWh\nX1,甲,2021000,7,1,100,20,1.5,9000,30,4\n")
    assert sorted(found.quarantine.select("cell", "reason_code").rows()) == [
        ("J3", "unknown_unit"),
        ("K3", "unknown_item_code"),
    ]
    assert balances(found)


def test_a_record_without_key_or_with_one_separator_too_many_is_quarantined_whole(rules: Rules) -> None:
    found = read(
        rules,
        f"{HEAD}\n{UNITS}\n,甲,2021000,7,1,100,20,1.5,9000,30\nX2,乙,2021099,7,1,50,5,2,800,3\nX3,丙,2021000,7,1,1,2,3,1,234,5\nX4,丁,2021000,7,1,1,2,3,4,5\n",
    )
    assert sorted(found.quarantine.select("row_number", "reason_code", "unit").rows()) == [
        (3, "missing_institution_id", "record"),
        (4, "bad_period", "record"),
        (5, "cell_without_header", "record"),
    ]
    assert found.rows["institution_id"].unique().to_list() == ["X4"]
    assert balances(found)


def test_an_unknown_column_is_an_alarm(rules: Rules) -> None:
    found = read(rules, f"{HEAD},新列\n{UNITS},\nX1,甲,2021000,7,1,100,20,1.5,9000,30,7\n")
    assert found.notes.select("note_code", "found").rows() == [("unknown_column", "新列")]
    assert balances(found)


@pytest.mark.parametrize(
    ("path", "data", "code"),
    [
        ("a.csv", b"", "empty_file"),
        ("a.csv", b" \n \n", "empty_file"),
        ("a.json", b'{"reportCode": "NY201_2020", "documents": [{"resp', "broken_json"),
        ("a.csv", "甲,乙\n1,2\n".encode(), "unknown_layout"),
        ("a.csv", b"\0\1\2\3", "not_text"),
        ("a.csv", f'{HEAD}\n{UNITS}\n"X1,甲'.encode(), "broken_quotes"),
        ("a.docx", b"PK\3\4", "unknown_layout"),
        ("noextension", b"hello", "unknown_layout"),
    ],
)
def test_a_bad_file_is_refused_with_reason_and_mend(rules: Rules, path: str, data: bytes, code: str) -> None:
    found = read(rules, data, path)
    assert found.refusal is not None
    assert found.refusal.code == code
    assert found.refusal.reason.zh
    assert found.refusal.reason.en
    assert found.refusal.mend.zh
    assert found.refusal.mend.en
    assert found.rows.height == 0


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<root><data>", "broken_xml"),
        (b'<!DOCTYPE root [<!ENTITY a "b">]><root><data><Build id="1"/></data></root>', "xml_with_entities"),
        (b'<!DOCTYPE root [<!ENTITY x SYSTEM "file:///etc/passwd">]><root>&x;</root>', "xml_with_entities"),
    ],
)
def test_hostile_or_broken_xml_is_refused(rules: Rules, data: bytes, code: str) -> None:
    found = read(rules, data, "x_Energy.xml", "metering")
    assert found.refusal is not None
    assert found.refusal.code == code


def test_a_broken_workbook_is_refused(rules: Rules) -> None:
    found = read(rules, b"PK\3\4 this is no workbook", "a.xlsx", "energy_audit")
    assert found.refusal is not None
    assert found.refusal.code == "not_a_workbook"


def test_the_nearest_layout_is_named(rules: Rules) -> None:
    found = read(rules, f"{HEAD.replace('报告期', '期间')}\n{UNITS}\nX1,甲,2021000,7,1,100,20,1.5,9000,30\n")
    assert found.refusal is not None
    assert "ny201_2020_f" in found.refusal.reason.en
    assert "报告期" in found.refusal.reason.en


def test_a_correction_applies_only_while_the_file_says_what_it_expects(rules: Rules) -> None:
    line = Correction(
        id="C1",
        source="direct_report",
        form="NY201",
        institution="X1",
        item="110",
        year=2021,
        expect="约1.5",
        value="1.5",
        unit=None,
        reason="经电话核实",
        reviewer="王",
    )
    text = f"{HEAD}\n{UNITS}\nX1,甲,2021000,7,1,100,20,约1.5,9000,30\n"
    mended = load(
        Delivery("f", "direct_report", "a.csv"), text.encode(), Rules(rules.layouts, rules.reference, [line])
    )
    cell = mended.rows.filter(pl.col("item_code") == "110").row(0, named=True)
    assert (
        cell["value_text"],
        cell["corrected_number_text"],
        cell["corrected_unit_text"],
        cell["correction_id"],
    ) == ("约1.5", "1.5", "万kWh", "C1")
    assert mended.applied == {"C1": 1}
    assert mended.quarantine.height == 0
    moved_on = load(
        Delivery("f", "direct_report", "a.csv"),
        text.replace("约1.5", "1.6").encode(),
        Rules(rules.layouts, rules.reference, [line]),
    )
    assert moved_on.applied["C1"] == 0
    assert moved_on.rows.filter(pl.col("item_code") == "110")["corrected_number_text"].to_list() == [None]


def test_from_2025_on_the_register_decides(rules: Rules) -> None:
    layouts = [
        item.model_copy(update={"edition": "2025"}) if item.id.endswith("2020_f") else item
        for item in rules.layouts
    ]
    text = f"{HEAD}\n{UNITS}\nX1,甲,2026000,7,1,100,20,1.5,9000,30\nX2,乙,2026000,7,1,100,20,1.5,9000,30\n"
    found = load(
        Delivery("f", "direct_report", "a.csv"),
        text.encode(),
        Rules(layouts, rules.reference, register=frozenset({"X2"})),
    )
    assert found.quarantine.select("reason_code", "found").rows() == [("not_in_register", "X1")]
    assert found.rows["institution_id"].unique().to_list() == ["X2"]
    assert balances(found)


def test_merged_cells_of_the_data_area_are_filled_and_noted(
    rules: Rules, checkout: Path, tmp_path: Path
) -> None:
    original = checkout / AUDIT
    book = openpyxl.load_workbook(original)
    sheet = book["2-1 基本情况"]
    names = {cell.value: cell.column for cell in sheet[3]}
    rows = [row for row in range(4, sheet.max_row + 1) if sheet.cell(row, names["项目"]).value]
    column = names["年份"]
    for merged in list(sheet.merged_cells.ranges):
        if merged.min_col <= column <= merged.max_col and merged.min_row > 3:
            sheet.unmerge_cells(str(merged))
    year = sheet.cell(rows[0], column).value
    second = next(row for row in rows[1:] if sheet.cell(row, column).value in (year, None))
    sheet.merge_cells(start_row=rows[0], end_row=second, start_column=column, end_column=column)
    target = tmp_path / "merged.xlsx"
    book.save(target)
    found = read(rules, target.read_bytes(), "merged.xlsx", "energy_audit")
    assert found.refusal is None
    assert "merged_cell_filled" in found.notes["note_code"].to_list()
    assert found.quarantine.height == 0
    assert balances(found)


def test_json_cells_are_counted_by_tokens(rules: Rules) -> None:
    document = {
        "reportCode": "NY201_2020",
        "units": {"110": "kWh"},
        "documents": [
            {
                "respondentId": "X",
                "periodId": "2021000",
                "taskStatus": "7",
                "release": 1,
                "catalogItemId": None,
                "rowData": {"110": "12.5", "120": "", "999": "1"},
            }
        ],
    }
    found = read(rules, json.dumps(document, ensure_ascii=False), "r.json")
    assert found.refusal is None
    assert [row["reason_code"] for row in found.quarantine.to_dicts()] == ["unknown_item_code"]
    assert balances(found)


def test_pandera_is_never_given_a_lazy_frame() -> None:
    schema = raw_tables("direct_report", load_reference())["values"]
    with pytest.raises(TypeError):
        failures(schema, pl.LazyFrame({"a": [1]}))  # type: ignore[arg-type]


def test_the_second_count_shares_no_code_with_the_readers() -> None:
    text = Path(counting.__file__).read_text(encoding="utf-8")
    imported = [
        line for line in text.splitlines() if line.startswith(("import ", "from ")) or "    import" in line
    ]
    assert not [
        line
        for line in imported
        if "ingestion" in line or "csv" in line or "lxml" in line or "calamine" in line.split("engine")[0]
    ]


def test_a_row_lost_in_the_loader_unbalances_the_ledger(
    rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingestion import load as loader

    honest = loader.apply

    def lossy(table, *rest):  # type: ignore[no-untyped-def]
        table.frame = table.frame.head(table.frame.height - 1)
        return honest(table, *rest)

    monkeypatch.setattr(loader, "apply", lossy)
    found = read(
        rules, f"{HEAD}\n{UNITS}\nX1,甲,2021000,7,1,100,20,1.5,9000,30\nX2,乙,2021000,7,1,1,2,3,4,5\n"
    )
    assert not balances(found)


def test_a_key_that_stands_twice_is_refused_not_lost(rules: Rules) -> None:
    found = read(
        rules, '{"reportCode": "NY201_2020", "documents": [{"rowData": {"110": "1", "110": "2"}}]}', "r.json"
    )
    assert found.refusal is not None
    assert found.refusal.code == "key_twice"
    assert "110" in found.refusal.reason.zh


@pytest.mark.parametrize("tail", ["", "\n", ",", ",\n", ',"', '\nX3,丙"丁,2021000,7,1,1,2,3,4,5'])
def test_the_two_counts_agree_on_odd_endings_and_stray_quotes(rules: Rules, tail: str) -> None:
    found = read(
        rules,
        f'{HEAD}\n{UNITS}\nX1,"甲,乙",2021000,7,1,100,20,1.5,9000,30\nX2,丙,2021000,7,1,1,2,3,4,5{tail}',
    )
    assert found.refusal is not None or balances(found)


def _with_part(original: Path, name: str, data: bytes) -> bytes:
    packed = io.BytesIO(original.read_bytes())
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr(name, data)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "size", "code"),
    [("xl/vbaProject.bin", 10, "macro_workbook"), ("xl/media/x.bin", 700 << 20, "too_large_inside")],
)
def test_hostile_workbooks_are_refused_before_they_are_unpacked(
    rules: Rules, checkout: Path, name: str, size: int, code: str
) -> None:
    original = checkout / AUDIT
    found = read(rules, _with_part(original, name, bytes(size)), "a.xlsx", "energy_audit")
    assert found.refusal is not None
    assert found.refusal.code == code


def test_more_digits_than_a_reading_holds_are_said(rules: Rules) -> None:
    head = "building_code,item_code,start_time,end_time,value,unit"
    span = "310118A001,01000,2021-01-0{0} 00:00:00,2021-01-0{0} 01:00:00,{1},kWh"
    text = "\n".join(
        [
            head,
            span.format(1, "1.2345"),
            span.format(2, "1.23456"),
            span.format(3, "2.000010"),
            span.format(4, "3.12340000"),
        ]
    )
    found = read(rules, text, "x.csv", "metering")
    assert found.rows.height == 4
    assert found.notes.select("note_code", "cell", "found").rows() == [
        ("digits_rounded", "E3", "1.23456 (× 2)")
    ]


def test_a_sheet_the_layout_does_not_know_is_an_alarm(rules: Rules, checkout: Path, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(checkout / AUDIT)
    book.create_sheet("附表").append(["新的内容", 1])
    book.save(tmp_path / "more.xlsx")
    found = read(rules, (tmp_path / "more.xlsx").read_bytes(), "more.xlsx", "energy_audit")
    assert found.notes.select("note_code", "sheet").rows() == [("unknown_sheet", "附表")]
    assert balances(found)
