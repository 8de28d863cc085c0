"""Registers: meters, vehicles, data rooms and projects as CSV or workbook, dated by column, title or name."""

from __future__ import annotations

import datetime as dt
import io

import openpyxl

from ingestion.account import Delivery
from ingestion.load import Loaded, Rules, load

METERS = """计量表计名录,,,,,,
截至2021年12月31日,,,,,,
表计编号,建筑代码,分项代码,上级表计,计入方式,倍率,表底位数
M1,310118A001,01000,,,40,6
M2,310118A001,01A00,M1,加,40,6
M3,310118A001,01B00,M1,减,1.5,6
M4,310118A001,99X00,M1,加,1,6
M5,310118A001,01C00,M1,也许,1,6
"""


def read(rules: Rules, data: bytes, path: str) -> Loaded:
    found = load(Delivery("f1", "registers", path), data, rules)
    assert found.refusal is None, found.refusal
    for unit, n in found.counts.items():
        assert n["n_read"] == n["n_loaded"] + n["n_quarantined"] + n["n_ignored"], (unit, n)
    return found


def workbook(rows: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_meters_say_their_parent_their_sign_and_the_day_of_the_register(rules: Rules) -> None:
    found = read(rules, METERS.encode(), "meters.csv")
    rows = found.tables["meters"].select("meter_id", "parent_meter_id", "sign", "multiplier", "as_of").rows()
    day = dt.date(2021, 12, 31)
    assert rows == [
        ("M1", None, None, "40", day),
        ("M2", "M1", 1, "40", day),
        ("M3", "M1", -1, "1.5", day),
    ]
    assert found.quarantine.select("row_number", "reason_code", "found").rows() == [
        (8, "bad_sign", "也许"),
        (7, "unknown_item_code", "99X00"),
    ]


def test_one_layout_reads_the_csv_and_the_workbook_of_a_register(rules: Rules) -> None:
    rows: list[list[object]] = [list(line.split(",")) for line in METERS.splitlines()]
    found = read(rules, workbook([[cell or None for cell in row] for row in rows]), "meters.xlsx")
    assert found.tables["meters"]["meter_id"].to_list() == ["M1", "M2", "M3"]
    assert found.layout is not None
    assert (found.layout.id, found.layout.kind) == ("registers.meters", "workbook")


def test_a_measured_column_takes_its_unit_from_the_header_and_a_column_before_the_title_its_date(
    rules: Rules,
) -> None:
    text = "机房编号,机房名称,所属单位代码,机柜数(个),机房面积(m2),设备总功率(kW),快照日期\nR1,主机房,A1,12,85.5,40,2022-06-30\n"
    rooms = read(rules, text.encode(), "rooms_20211231.csv").tables["data_rooms"]
    assert rooms.select(
        "room_id", "n_cabinets", "floor_area_text", "floor_area_unit", "power_unit"
    ).rows() == [("R1", 12, "85.5", "m2", "kW")]
    assert rooms["as_of"].to_list() == [dt.date(2022, 6, 30)]


def test_the_name_of_the_file_dates_a_register_that_says_no_day_itself(rules: Rules) -> None:
    text = "车牌号,所属单位代码,燃料种类,是否新能源\n沪A00001,A1,汽油,否\n沪AD0002,A1,纯电动,是\n沪A00003,A1,煤油,否\n"
    found = read(rules, text.encode(), "vehicles_20211231.csv")
    vehicles = found.tables["vehicles"].select("vehicle_id", "fuel", "is_new_energy", "as_of")
    day = dt.date(2021, 12, 31)
    assert vehicles.rows() == [
        ("沪A00001", "gasoline", "false", day),
        ("沪AD0002", "electricity", "true", day),
    ]
    assert found.quarantine.select("reason_code", "found").rows() == [("bad_fuel", "煤油")]


def test_a_number_without_its_unit_is_quarantined_and_not_taken_for_something(rules: Rules) -> None:
    text = "建筑代码,建筑名称,建筑类别,产权性质,所属单位代码,建筑面积,面积单位,行政区划代码\nB1,一号楼,A,公共机构,A1,500,,310118001\nB2,二号楼,A,公共机构,A1,,,310118001\nB3,三号楼,A,公共机构,A1,5,坪,310118001\n"
    found = read(rules, text.encode(), "buildings.csv")
    assert found.tables["buildings"]["building_code"].to_list() == ["B2"]
    assert found.quarantine.select("row_number", "reason_code", "found").rows() == [
        (2, "missing_floor_area_unit", "500"),
        (4, "unknown_unit", "坪"),
    ]


def test_projects_carry_investment_capacity_and_saving_with_their_units(rules: Rules) -> None:
    text = "项目编号,项目名称,项目类型,统一社会信用代码,开工日期,投资额(万元),年节能量(tce),装机容量(kW)\nP1,屋顶光伏,光伏发电,A1,2021-03-01,120.5,,300\n"
    projects = read(rules, text.encode(), "projects_20211231.csv").tables["projects"]
    columns = [
        "project_kind",
        "started_on",
        "investment_text",
        "investment_unit",
        "capacity_text",
        "capacity_unit",
    ]
    assert projects.select(columns).rows() == [
        ("photovoltaic", dt.date(2021, 3, 1), "120.5", "万元", "300", "kW")
    ]
    assert projects["annual_energy_saving_text"].to_list() == [None]


def test_green_power_is_kept_with_and_without_a_document(rules: Rules) -> None:
    text = (
        "登记编号,统一社会信用代码,凭证类型,凭证编号,交易类型,发电省份代码,电量(万kWh),凭证总电量(MWh),使用期起,使用期止,凭证状态\n"
        "G1,A1,绿证,N1,绿证交易,650000,1.5,15,2021-01-01,2021-12-31,有效\n"
        "G2,A1,结算单,,省间绿电交易,510000,2,,2021-01-01,2021-12-31,待核\n"
        "G3,A1,绿证,N3,绿证交易,650000,2,3,2021-01-01,2021-12-31,好\n"
    )
    found = read(rules, text.encode(), "green_power_20220331.csv")
    day = dt.date(2022, 3, 31)
    columns = [
        "green_power_id",
        "document_kind",
        "document_no",
        "trade_type",
        "volume_text",
        "volume_unit",
        "document_volume_text",
        "document_volume_unit",
        "document_status",
        "as_of",
    ]
    assert found.tables["green_power"].select(columns).rows() == [
        ("G1", "certificate", "N1", "certificate_only", "1.5", "万kWh", "15", "MWh", "valid", day),
        ("G2", "settlement", None, "inter_provincial", "2", "万kWh", None, "MWh", "pending", day),
    ]
    assert found.quarantine["found"].to_list() == ["好"]
