"""Defects of the defective world in the forms that are parts or summaries: no figure of the district hangs on them."""

from __future__ import annotations

from decimal import Decimal

from examples.district.generator import parts
from examples.district.generator.files import column_letters, plain
from examples.district.generator.parts import Parts
from examples.district.generator.planting import Defect, World


def plant_parts(world: World, drawn: Parts) -> None:
    _room_above_the_whole(world, drawn)
    _heat_billed_by_area(world, drawn)
    _summary_differs(world)


def _room_above_the_whole(world: World, drawn: Parts) -> None:
    (institution_id, room), values = next(iter(drawn.rooms.items()))
    grid = world.grid(parts.ROOMS)
    line = grid.find(机构代码=institution_id, 目录项=room)
    column = grid.column("f240")
    grid.put(line, column, plain(values["240"]))
    world.defects.append(
        Defect(
            "f10",
            world.name,
            "flagged",
            "part_above_whole",
            parts.ROOMS,
            "机房总用电量以 kWh 填入万kWh 列，大于全单位用电量；能耗不受影响",
            "a room's electricity keyed in kWh in a 万kWh column is above the institution's; no energy figure is touched",
            line=line,
            cell=f"{column_letters(column)}{line}",
            institution_id=institution_id,
            item_code="240",
            year=parts.YEAR,
            clean_value=plain(values["240"]),
        )
    )


def _heat_billed_by_area(world: World, drawn: Parts) -> None:
    institution_id = next(key for key, values in drawn.heating.items() if "3011" in values)
    grid = world.grid(parts.HEATING)
    line = grid.find(机构代码=institution_id, 指标代码="3011")
    code, name, unit = grid.column("指标代码"), grid.column("指标名称"), grid.column("计量单位")
    grid.put(line, code, "3012")
    grid.put(line, name, "集中供暖面积(按面积收费)")
    cost = list(grid.lines[line - 1])
    cost[code - 1], cost[name - 1], cost[unit - 1] = "380", "集中供暖费用(按面积收费)", "元"
    cost[grid.column("数值") - 1] = plain(drawn.heating[institution_id]["3011"] * Decimal("23.10"))
    grid.lines.append(cost)
    world.defects.append(
        Defect(
            "f11",
            world.name,
            "flagged",
            "heat_not_measured",
            parts.HEATING,
            "集中供暖按面积收费，有面积和费用，没有热量",
            "district heat billed by area: an area and a cost, no amount of heat",
            line=line,
            cell=f"B{line}",
            institution_id=institution_id,
            item_code="3012",
            year=parts.YEAR,
        )
    )


def _summary_differs(world: World) -> None:
    documents = world.document(parts.SUMMARY).content["documents"]
    number = 4
    right = Decimal(documents[number - 1]["rowData"]["110"])
    wrong = (right * Decimal("1.06")).quantize(right)
    documents[number - 1]["rowData"]["110"] = plain(wrong)
    world.defects.append(
        Defect(
            "f12",
            world.name,
            "flagged",
            "summary_differs",
            parts.SUMMARY,
            "汇总表 S004 栏用电量比基层合计高 6%；汇总表不计入任何合计",
            "electricity of class S004 is 6 % above the sum of the returns; a summary enters no figure",
            line=number,
            institution_id=str(documents[number - 1]["respondentId"]),
            item_code="110",
            year=parts.YEAR,
            clean_value=plain(right),
        )
    )
