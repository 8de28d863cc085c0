"""The two registers: institutions (名录库) and buildings."""

from __future__ import annotations

from examples.district.generator.buildings import Building
from examples.district.generator.files import Grid, Landing, plain
from examples.district.generator.institutions import Institution

INSTITUTIONS = "registers/institutions.csv"
BUILDINGS = "registers/buildings.csv"


def files(institutions: list[Institution], buildings: list[Building]) -> Landing:
    header = [
        "统一社会信用代码",
        "单位名称",
        "单位类型代码",
        "行政区划代码",
        "上级单位代码",
        "级别",
        "生效日期",
        "失效日期",
    ]
    rows = [
        [i.institution_id, i.name, i.type_code, i.town, i.parent_id, i.level, i.valid_from, ""]
        for i in institutions
    ]
    building_header = [
        "建筑代码",
        "建筑名称",
        "建筑类别",
        "产权性质",
        "所属单位代码",
        "建筑面积",
        "面积单位",
        "行政区划代码",
    ]
    building_rows = [
        [
            b.code,
            b.name,
            b.class_code,
            "公共机构" if b.owner else "其他",
            b.owner.institution_id if b.owner else "",
            plain(b.floor_area),
            "m2",
            b.town,
        ]
        for b in buildings
    ]
    return {
        INSTITUTIONS: Grid("utf-8-sig", [header, *rows]),
        BUILDINGS: Grid("utf-8-sig", [building_header, *building_rows]),
    }
