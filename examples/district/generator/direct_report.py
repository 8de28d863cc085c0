"""Files of the direct-report platform: NY101 attributes and NY201 in three dialects.

Belongs here: who reports how, headers, units of columns. Does not belong here: values (institutions, returns).
"""

from __future__ import annotations

from decimal import Decimal

from examples.district.generator.dice import Dice
from examples.district.generator.files import Document, Grid, Landing, plain
from examples.district.generator.identity import TOWNS
from examples.district.generator.institutions import Institution
from examples.district.generator.returns import Row, annual, months, quarters

# NY201, code → (label, unit as written); the order is that of the p columns
ITEMS: dict[str, tuple[str, str]] = {
    "009": ("用地面积", "m2"),
    "101": ("建筑面积", "m2"),
    "102": ("用能人数", "人"),
    "1021": ("编制人数", "人"),
    "103": ("车辆总量", "辆"),
    "1031": ("汽油车数量", "辆"),
    "1032": ("柴油车数量", "辆"),
    "1033": ("新能源汽车数量", "辆"),
    "104": ("液化石油气消费量", "kg"),
    "1041": ("液化石油气费用", "元"),
    "105": ("充电桩数量", "个"),
    "110": ("电消费量", "kWh"),
    "111": ("电费用", "元"),
    "120": ("水消费量", "m3"),
    "121": ("水费用", "元"),
    "130": ("煤炭消费量", "t"),
    "131": ("煤炭费用", "元"),
    "140": ("天然气消费量", "m3"),
    "141": ("天然气费用", "元"),
    "150": ("汽油消费量", "L"),
    "151": ("汽油费用", "元"),
    "1501": ("汽油:车辆用油量", "L"),
    "1511": ("汽油:车辆用油费用", "元"),
    "1502": ("汽油:其他用油量", "L"),
    "1512": ("汽油:其他用油费用", "元"),
    "160": ("柴油消费量", "L"),
    "161": ("柴油费用", "元"),
    "1601": ("柴油:车辆用油量", "L"),
    "1611": ("柴油:车辆用油费用", "元"),
    "1602": ("柴油:其他用油量", "L"),
    "1612": ("柴油:其他用油费用", "元"),
    "170": ("热力消费量", "GJ"),
    "171": ("热力费用", "元"),
    "180": ("其他能源消费量", "tce"),
    "181": ("其他能源费用", "元"),
    "190": ("太阳能光热利用系统集热器面积", "m2"),
    "191": ("太阳能光电利用系统装机容量", "kW"),
    "192": ("地热能利用系统装机容量", "kW"),
    "401": ("401项", ""),
    "402": ("402项", ""),
    "403": ("403项", ""),
    "404": ("404项", ""),
    "405": ("405项", ""),
    "406": ("406项", ""),
}
# the f dialect keeps electricity and gas in ten thousands
_F_UNITS = {"110": ("万kWh", Decimal(10000)), "140": ("万m3", Decimal(10000))}
_N_P_COLUMNS = 67

NY101 = [
    "机构名称",
    "机构标识",
    "统一社会信用代码",
    "机构类型",
    "行业代码",
    "地址",
    "区划代码",
    "联系电话",
    "备注",
    "period_id",
]
_INDUSTRY = {
    "01": "S922",
    "021": "P833",
    "022": "M731",
    "023": "R883",
    "024": "Q841",
    "025": "R892",
    "026": "S929",
    "03": "S951",
}

P_2020 = "direct_report/NY201_2020_p.csv"
F_2021 = "direct_report/NY201_2021_f.csv"
JSON_2021 = "direct_report/NY201_2021_rowdata.json"


def files(institutions: list[Institution]) -> Landing:
    landing: Landing = {
        f"direct_report/NY101_{year}.csv": _ny101(institutions, year) for year in (2020, 2021)
    }
    landing[P_2020] = p_table(_rows_2020(institutions))
    dice = Dice("who reports how in 2021")
    annual_only = dice.some([i for i in institutions if i.kind.name != "hospital"], 60)
    in_json = {item.institution_id for item in annual_only}
    rest = [item for item in institutions if item.institution_id not in in_json]
    by_period = dice.some([i for i in rest if "170" not in i.carriers], 45)
    monthly = {item.institution_id for item in by_period[:40]}
    quarterly = {item.institution_id for item in by_period[40:]}
    rows: list[Row] = []
    for item in rest:
        if item.institution_id in monthly:
            rows += months(item, 2021, dice)
        elif item.institution_id in quarterly:
            rows += quarters(item, 2021, dice)
        else:
            rows.append(annual(item, 2021))
    landing[F_2021] = f_table(rows)
    landing[JSON_2021] = row_data([annual(i, 2021) for i in institutions if i.institution_id in in_json])
    return landing


def _rows_2020(institutions: list[Institution]) -> list[Row]:
    dice = Dice("who reports how in 2020")
    monthly = {item.institution_id for item in dice.some(institutions, 40)}
    unfinished = {item.institution_id for item in dice.some(institutions, 6)}
    rows: list[Row] = []
    for item in institutions:
        if item.institution_id in monthly:
            rows += months(item, 2020, dice)
            continue
        approved = annual(item, 2020)
        if item.institution_id in unfinished:
            # an earlier draft that never passed review stays in the export beside the approved return
            draft = annual(item, 2020)
            draft.values["110"] = (draft.values["110"] * dice.between("1.05", "1.30")).quantize(
                Decimal("0.01")
            )
            draft.state, approved.release = dice.pick(["1", "8"]), 2
            rows.append(draft)
        rows.append(approved)
    return rows


def _ny101(institutions: list[Institution], year: int) -> Grid:
    dice = Dice("addresses")
    lines = [NY101]
    for number, item in enumerate(institutions, 1):
        lines.append(basic_form(item, number, f"{1 + dice.below(900)}号", year))
    return Grid("gb18030", lines)


def basic_form(item: Institution, number: int, house_number: str, year: int) -> list[str]:
    """One line of NY101."""
    return [
        item.name,
        f"{100000 + number}",
        item.institution_id,
        item.type_code,
        _INDUSTRY[item.type_code],
        f"{TOWNS[item.town]}示例路{house_number}",
        item.town,
        f"021-0000{number:04d}",
        "",
        f"{year}000",
    ]


def p_table(rows: list[Row]) -> Grid:
    codes = list(ITEMS)
    blank = [""] * (_N_P_COLUMNS - 5 - len(codes))
    labels = [f"{label}({unit})" if unit else label for label, unit in ITEMS.values()]
    lines = [
        [f"p{number}" for number in range(_N_P_COLUMNS)],
        ["机构代码", "单位名称", "报告期", "任务状态", "版次", *labels, *blank],
    ]
    return Grid("gb18030", lines + [[*_key(row), *_cells(row, codes), *blank] for row in rows])


def f_units() -> dict[str, str]:
    return {code: _F_UNITS[code][0] if code in _F_UNITS else unit for code, (_, unit) in ITEMS.items()}


def f_table(rows: list[Row]) -> Grid:
    lines = [
        ["机构代码", "单位名称", "报告期", "状态", "版次", *[f"f{code}" for code in ITEMS]],
        ["单位", "", "", "", "", *f_units().values()],
    ]
    return Grid("utf-8-sig", lines + [f_line(row) for row in rows])


def f_line(row: Row) -> list[str]:
    scaled = {
        code: value / _F_UNITS[code][1] if code in _F_UNITS else value for code, value in row.values.items()
    }
    return [*_key(row), *[plain(scaled[code]) if code in scaled else "" for code in ITEMS]]


def row_data(rows: list[Row]) -> Document:
    units = {code: unit for code, (_, unit) in ITEMS.items() if unit}
    return Document(
        {"reportCode": "NY201_2020", "units": units, "documents": [document(row) for row in rows]}
    )


def document(row: Row) -> dict[str, object]:
    return {
        "respondentId": row.institution.institution_id,
        "respondentName": row.institution.name,
        "periodId": row.period,
        "taskStatus": row.state,
        "release": row.release,
        "catalogItemId": None,
        "rowData": {code: plain(row.values[code]) for code in ITEMS if code in row.values},
    }


def _key(row: Row) -> list[str]:
    return [row.institution.institution_id, row.institution.name, row.period, row.state, str(row.release)]


def _cells(row: Row, codes: list[str]) -> list[str]:
    return [plain(row.values[code]) if code in row.values else "" for code in codes]
