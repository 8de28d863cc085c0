"""Forms beside NY201: data rooms (NY202), heating (NY203) and the summary by class (NY301) of 2021.

Belongs here: parts drawn as shares of what NY201 holds, and sums of it. Nothing here changes an institution's own values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from examples.district.generator import direct_report
from examples.district.generator.calibration import CENT
from examples.district.generator.dice import Dice
from examples.district.generator.files import Document, Grid, Landing, plain
from examples.district.generator.identity import DIVISION
from examples.district.generator.institutions import Institution, Values

YEAR = 2021
ROOMS = "direct_report/NY202_2021_f.csv"
HEATING = "direct_report/NY203_2021_long.csv"
SUMMARY = "direct_report/NY301_2021_rowdata.json"

# code → (label, unit as written)
ROOM_ITEMS = {
    "201": ("机房建筑面积", "m2"),
    "210": ("机柜总数量", "架"),
    "220": ("设备总功率", "kW"),
    "2201": ("IT设备功率", "kW"),
    "2202": ("空气调节设备功率", "kW"),
    "2203": ("配电及附属设备功率", "kW"),
    "230": ("UPS装机容量", "kVA"),
    "240": ("总用电量", "万kWh"),
    "2401": ("IT设备用电量", "万kWh"),
    "2402": ("空气调节设备用电量", "万kWh"),
    "2403": ("配电及附属设备用电量", "万kWh"),
}
HEATING_ITEMS = {
    "301": ("采暖面积", "m2"),
    "3011": ("独立供暖面积", "m2"),
    "3012": ("集中供暖面积(按面积收费)", "m2"),
    "3013": ("集中供暖面积(按热量收费)", "m2"),
    "302": ("采暖天数", "天"),
    "310": ("水消费量", "m3"),
    "320": ("电消费量", "kWh"),
    "321": ("电费用", "元"),
    "340": ("天然气消费量", "m3"),
    "341": ("天然气费用", "元"),
    "360": ("热力消费量", "GJ"),
    "361": ("热力费用", "元"),
}
# of NY203 → of NY201
_WHOLE = {"310": "120", "320": "110", "321": "111", "340": "140", "341": "141", "360": "170", "361": "171"}
# of NY301 → of NY201: what is no energy is shifted by one
_SHIFTED = {
    "101": "009",
    "102": "101",
    "103": "102",
    "1031": "1021",
    "104": "103",
    "1041": "1031",
    "1042": "1032",
    "1043": "1033",
    "105": "104",
    "1051": "1041",
    "106": "105",
}
_CLASSES = {
    "01": ["S002"],
    "021": ["S003", "S004"],
    "022": ["S003", "S005"],
    "023": ["S003", "S006"],
    "024": ["S003", "S007"],
    "025": ["S003", "S008"],
    "026": ["S003", "S009"],
    "03": ["S010"],
}
_COLUMNS = [f"S{number:03d}" for number in range(1, 11)]
KEYS = ["报表代码", "机构代码", "单位名称", "区划代码", "报告期", "目录项", "任务状态", "版次"]


@dataclass
class Parts:
    """`rooms`: institution and room → values; `heating`: institution → values; `summary`: class → values."""

    rooms: dict[tuple[str, str], Values] = field(default_factory=dict)
    heating: dict[str, Values] = field(default_factory=dict)
    summary: dict[str, Values] = field(default_factory=dict)
    of: dict[str, Institution] = field(default_factory=dict)


def draw(institutions: list[Institution]) -> Parts:
    parts = Parts(of={item.institution_id: item for item in institutions})
    _rooms(parts, institutions)
    _heating(parts, institutions)
    _summary(parts, institutions)
    return parts


def _share(whole: Decimal, percent: int) -> Decimal:
    return (whole * percent / 100).quantize(CENT)


def _rooms(parts: Parts, institutions: list[Institution]) -> None:
    dice = Dice("data rooms")
    fitting = [
        item for item in institutions if item.kind.name in ("bureau", "hospital", "vocational", "court")
    ]
    for item in sorted(dice.some(fitting, 14), key=lambda item: item.institution_id):
        for number in range(1 + dice.below(3)):
            total = _share(item.annual[YEAR]["110"], 1 + dice.below(4))
            it, cooling = _share(total, 52 + dice.below(14)), _share(total, 24 + dice.below(8))
            kw = {
                "2201": Decimal(8 + dice.below(60)),
                "2202": Decimal(4 + dice.below(20)),
                "2203": Decimal(2 + dice.below(6)),
            }
            parts.rooms[item.institution_id, f"{number + 1:04d}"] = {
                "201": Decimal(20 + dice.below(120)),
                "210": Decimal(2 + dice.below(24)),
                "220": sum(kw.values(), Decimal(0)),
                **kw,
                "230": Decimal(10 * (1 + dice.below(12))),
                "240": total,
                "2401": it,
                "2402": cooling,
                "2403": total - it - cooling,
            }


def _heating(parts: Parts, institutions: list[Institution]) -> None:
    dice = Dice("heating")
    warm = [item for item in institutions if "170" in item.carriers]
    gas = dice.some([item for item in institutions if "140" in item.carriers and item not in warm], 9)
    power = dice.some([item for item in institutions if item not in warm and item not in gas], 6)
    for item in sorted(warm + gas + power, key=lambda item: item.institution_id):
        whole = item.annual[YEAR]
        area = (whole["101"] * (60 + dice.below(40)) / 100).quantize(Decimal(1))
        values = {
            "301": area,
            "302": Decimal(90 + dice.below(40)),
            "310": _share(whole["120"], 1 + dice.below(3)),
        }
        values["3013" if item in warm else "3011"] = area
        for code, percent in (
            ("320", 4 + dice.below(9)),
            ("340", 25 + dice.below(25)),
            ("360", 70 + dice.below(30)),
        ):
            if _WHOLE[code] not in item.carriers or (code == "340" and item not in gas):
                continue
            values[code] = _share(whole[_WHOLE[code]], percent)
            cost = str(int(code) + 1)
            values[cost] = _share(whole[_WHOLE[cost]], percent)
        parts.heating[item.institution_id] = {code: values[code] for code in HEATING_ITEMS if code in values}


def columns_of(item: Institution) -> list[str]:
    """The class columns that an institution is summed in."""
    return ["S001", *_CLASSES[item.type_code]]


def _summary(parts: Parts, institutions: list[Institution]) -> None:
    codes = [code for code in direct_report.ITEMS if not code.startswith("40")]
    names = {base: code for code, base in _SHIFTED.items()}
    for column in _COLUMNS:
        members = [item for item in institutions if column in columns_of(item)]
        values: Values = {"100": Decimal(len(members))}
        for code in codes:
            of_members = [item.annual[YEAR][code] for item in members if code in item.annual[YEAR]]
            if of_members:
                values[names.get(code, code)] = sum(of_members, Decimal(0))
        parts.summary[column] = dict(sorted(values.items()))


def files(parts: Parts) -> Landing:
    return {ROOMS: _room_table(parts), HEATING: _heating_lines(parts), SUMMARY: _summary_document(parts)}


def _key(report_code: str, item: Institution, catalog_item: str) -> list[str]:
    return [report_code, item.institution_id, item.name, item.town, f"{YEAR}000", catalog_item, "7", "1"]


def _room_table(parts: Parts) -> Grid:
    lines = [
        KEYS + [f"f{code}" for code in ROOM_ITEMS],
        ["单位"] + [""] * (len(KEYS) - 1) + [unit for _, unit in ROOM_ITEMS.values()],
    ]
    for (institution_id, room), values in parts.rooms.items():
        scaled = {
            code: value / 10000 if ROOM_ITEMS[code][1] == "万kWh" else value for code, value in values.items()
        }
        lines.append(
            _key("NY202_2020", parts.of[institution_id], room) + [plain(scaled[code]) for code in ROOM_ITEMS]
        )
    return Grid("gb18030", lines)


def _heating_lines(parts: Parts) -> Grid:
    lines = [[*KEYS, "指标代码", "指标名称", "数值", "计量单位"]]
    for institution_id, values in parts.heating.items():
        key = _key("NY203_2020", parts.of[institution_id], "")
        lines += [
            [*key, code, HEATING_ITEMS[code][0], plain(value), HEATING_ITEMS[code][1]]
            for code, value in values.items()
        ]
    return Grid("utf-8-sig", lines)


def _summary_document(parts: Parts) -> Document:
    """Sent by the office that runs the platform: the first bureau, for the whole district."""
    authority = next(item for item in parts.of.values() if item.kind.name == "bureau")
    base = {code: unit for code, (_, unit) in direct_report.ITEMS.items() if unit}
    codes = sorted({code for values in parts.summary.values() for code in values})
    units = {code: base[_SHIFTED.get(code, code)] for code in codes if code != "100"} | {"100": "家"}
    documents = [
        {
            "respondentId": authority.institution_id,
            "respondentName": authority.name,
            "areaCode": DIVISION,
            "periodId": f"{YEAR}000",
            "taskStatus": "7",
            "release": 1,
            "catalogItemId": column,
            "rowData": {code: plain(value) for code, value in values.items()},
        }
        for column, values in parts.summary.items()
    ]
    return Document({"reportCode": "NY301_2020", "units": units, "documents": documents})


def truth(parts: Parts) -> Landing:
    """What must be published of the parts, and every value of the summary."""
    published = {
        "heated_area_m2": "301",
        "heating_electricity_kwh": "320",
        "heating_natural_gas_m3": "340",
        "heating_heat_gj": "360",
    }
    lines = [["institution_id", "year", "data_room_electricity_kwh", *published]]
    for institution_id in parts.of:
        rooms = [values["240"] for (owner, _), values in parts.rooms.items() if owner == institution_id]
        heating = parts.heating.get(institution_id, {})
        if rooms or heating:
            room = plain(sum(rooms, Decimal(0))) if rooms else ""
            found = [plain(heating[code]) if code in heating else "" for code in published.values()]
            lines.append([institution_id, str(YEAR), room, *found])
    summary = [["class_column_code", "item_code", "base_item_code", "value"]]
    for column, values in parts.summary.items():
        summary += [
            [column, code, "" if code == "100" else _SHIFTED.get(code, code), plain(value)]
            for code, value in values.items()
        ]
    return {"truth/parts.csv": Grid("utf-8", lines), "truth/summary.csv": Grid("utf-8", summary)}
