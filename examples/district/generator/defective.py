"""The defective world: defects that must not stop a night.

Belongs here: defects that something in the data or a correction mends. Those that are only flagged stand in
`flagged`. Lines that move others go first, so that every recorded line holds in the written file.
"""

from __future__ import annotations

from decimal import Decimal

from examples.district.generator import audits, direct_report
from examples.district.generator.buildings import ITEM_ELECTRICITY, Building
from examples.district.generator.files import column_letters, plain
from examples.district.generator.flagged import missing_month, plant_flagged
from examples.district.generator.institutions import Institution
from examples.district.generator.metering import Sums
from examples.district.generator.planting import Defect, World
from examples.district.generator.returns import annual

F = direct_report.F_2021


def plant(world: World, buildings: list[Building], sums: Sums) -> None:
    missing_month(world)
    _months_twice(world)
    _unit_slip_corrected(world)
    _text_corrected(world)
    _register_reset(world, buildings, sums)
    _merged_cells(world)
    _institution_twice(world)
    plant_flagged(world, buildings, sums)


def _correct(
    world: World,
    number: str,
    institution: Institution,
    item: str,
    expect: str,
    value: str,
    unit: str,
    reason: str,
) -> None:
    world.corrections.append(
        {
            "id": f"C-{number}",
            "source": "direct_report",
            "form": "NY201",
            "institution": institution.institution_id,
            "item": item,
            "year": 2021,
            "month": None,
            "expect": expect,
            "value": value,
            "unit": unit,
            "reason": reason,
            "reviewer": "示例复核员",
        }
    )


def _unit_slip_corrected(world: World) -> None:
    item = world.annual_in_f(uses="110", low="60000", high="160000")
    line = world.lines_of(item)[0]
    column, cell = world.f_cell("110", line)
    kwh = plain(item.annual[2021]["110"])
    world.grid(F).put(line, column, kwh)
    _correct(world, "m1", item, "110", kwh, kwh, "kWh", "按电费核对，数值以 kWh 填入了万kWh 列")
    world.defects.append(
        Defect(
            "m1",
            world.name,
            "mended",
            "unit_price_slip",
            F,
            "电量以 kWh 填入万kWh 列，大了一万倍；更正行改单位",
            "electricity keyed in kWh in a 万kWh column, 10,000 times too large; a correction line gives the unit",
            line=line,
            cell=cell,
            institution_id=item.institution_id,
            item_code="110",
            year=2021,
            clean_value=kwh,
            expected_value=kwh,
            figure="electricity_kwh",
        )
    )


def _text_corrected(world: World) -> None:
    item = world.annual_in_f(uses="140", low="60000", high="200000")
    line = world.lines_of(item)[0]
    column, cell = world.f_cell("140", line)
    right = world.grid(F).get(line, column)
    world.grid(F).put(line, column, f"约{right}")
    _correct(world, "m2", item, "140", f"约{right}", right, "万m3", "经电话核实，去掉“约”字后数值无误")
    value = plain(item.annual[2021]["140"])
    world.defects.append(
        Defect(
            "m2",
            world.name,
            "mended",
            "not_a_number",
            F,
            "数值前有“约”字；更正行给出数值",
            "the word 'about' stands before the number; a correction line gives the number",
            line=line,
            cell=cell,
            institution_id=item.institution_id,
            item_code="140",
            year=2021,
            clean_value=value,
            expected_value=value,
            figure="natural_gas_m3",
        )
    )


def _register_reset(world: World, buildings: list[Building], sums: Sums) -> None:
    building = [b for b in buildings if b.feed == "register" and b.class_code == "D"][4]
    path = "metering/registers_2021.csv"
    grid, lines = world.grid(path), world.register_lines(building.code, 2021)
    reading = grid.column("读数")
    values = [Decimal(grid.get(line, reading)) for line in lines]
    at = 5  # the reading of 1 June is the first of the new meter
    used = values[at] - values[at - 1]
    old_final = values[at - 1] + (used * Decimal("0.6")).quantize(Decimal("0.01"))
    restart = used - (old_final - values[at - 1])
    for n in range(at, len(values)):
        grid.put(lines[n], reading, plain(values[n] - values[at] + restart))
    for name, text in (("事件", "换表"), ("旧表止码", plain(old_final)), ("新表起码", "0.00")):
        grid.put(lines[at], grid.column(name), text)
    annual_kwh = plain(sums[building.code, 2021, ITEM_ELECTRICITY])
    world.defects.append(
        Defect(
            "m3",
            world.name,
            "mended",
            "register_reset",
            path,
            "五月换表，读数从零重新开始；旧表止码与新表起码已填",
            "the meter was replaced in May and counts from zero; final and start readings are given",
            line=lines[at],
            cell=f"{column_letters(reading)}{lines[at]}",
            building_code=building.code,
            item_code=ITEM_ELECTRICITY,
            year=2021,
            clean_value=annual_kwh,
            expected_value=annual_kwh,
            figure="electricity_kwh",
        )
    )


def _merged_cells(world: World) -> None:
    item = world.mark(audits.audited(world.institutions)[1])
    path = audits.path_of(item)
    page = world.workbook(path).page("2-1")
    first, last = 4, len(page.rows) - 1
    for column in (1, 2):
        page.merge(first, column, last, column)
    for row in range(first, last, 2):
        page.merge(row, 3, row + 1, 3)
    world.defects.append(
        Defect(
            "m4",
            world.name,
            "mended",
            "merged_cell_filled",
            path,
            "表2-1 的单位与年份单元格纵向合并，只有左上角有值",
            "institution and year cells of table 2-1 are merged downwards; only the top left cell has a value",
            sheet=page.name,
            line=last,
            cell=f"C{last}",
            institution_id=item.institution_id,
            year=2021,
        )
    )


def _months_twice(world: World) -> None:
    item = world.monthly_in_f()
    grid = world.grid(F)
    line = world.lines_of(item)[3]
    column, cell = world.f_cell("110", line)
    wrong = list(grid.lines[line - 1])
    # another month's electricity was keyed first; the mended month came as the next release
    wrong[column - 1] = grid.get(world.lines_of(item)[7], column)
    grid.lines.insert(line - 1, wrong)
    grid.put(line + 1, grid.column("版次"), "2")
    kwh = plain(item.annual[2021]["110"])
    world.defects.append(
        Defect(
            "m5",
            world.name,
            "mended",
            "record_superseded",
            F,
            "四月填报两次，先填的电量有误，后填的版次较高",
            "April was keyed twice: the first has another month's electricity, the second a higher release",
            line=line,
            cell=cell,
            institution_id=item.institution_id,
            item_code="110",
            year=2021,
            clean_value=kwh,
            expected_value=kwh,
            figure="electricity_kwh",
        )
    )


def _institution_twice(world: World) -> None:
    item = world.annual_in_f(uses="140", low="30000", high="200000")
    documents = world.document(direct_report.JSON_2021).content["documents"]
    documents.append(direct_report.document(annual(item, 2021)))
    kwh = plain(item.annual[2021]["110"])
    world.defects.append(
        Defect(
            "m6",
            world.name,
            "mended",
            "record_superseded",
            direct_report.JSON_2021,
            "同一单位的年报在两个文件中各有一份，数值相同",
            "the same annual return stands in both files of 2021",
            line=len(documents),
            institution_id=item.institution_id,
            year=2021,
            clean_value=kwh,
            expected_value=kwh,
            figure="electricity_kwh",
        )
    )
