"""The blocking world: defects after which yesterday's release must stand."""

from __future__ import annotations

from decimal import Decimal

from examples.district.generator import direct_report
from examples.district.generator.calibration import CENT
from examples.district.generator.files import Document, plain
from examples.district.generator.planting import Defect, World

F = direct_report.F_2021
LATE = "direct_report/NY201_2021_rowdata_late.json"


def plant(world: World) -> None:
    _conflicting_returns(world)
    _material_slip(world)
    _half_a_file(world)


def _conflicting_returns(world: World) -> None:
    """Puts a line in, so it comes before every defect that records a line of this file."""
    item = world.annual_in_f(uses="110", low="60000", high="200000")
    grid = world.grid(F)
    line = world.lines_of(item)[0]
    column, cell = world.f_cell("110", line + 1)
    other = list(grid.lines[line - 1])
    kwh = item.annual[2021]["110"]
    other[column - 1] = plain((kwh * Decimal("1.18")).quantize(CENT) / 10000)
    grid.lines.insert(line, other)
    world.defects.append(
        Defect(
            "b1",
            world.name,
            "blocking",
            "conflicting_returns",
            F,
            "同一单位、同一年、同一版次有两份已审核年报，电量不同",
            "two approved returns of one institution, year and release differ in electricity",
            line=line + 1,
            cell=cell,
            institution_id=item.institution_id,
            item_code="110",
            year=2021,
            clean_value=plain(kwh),
            figure="electricity_kwh",
        )
    )


def _material_slip(world: World) -> None:
    large = max(
        (
            item
            for item in world.institutions
            if len(world.lines_of(item)) == 1 and item.institution_id not in world.hit
        ),
        key=lambda item: item.annual[2021]["110"],
    )
    world.mark(large)
    line = world.lines_of(large)[0]
    column, cell = world.f_cell("110", line)
    kwh = plain(large.annual[2021]["110"])
    world.grid(F).put(line, column, kwh)
    world.defects.append(
        Defect(
            "b2",
            world.name,
            "blocking",
            "material_slip",
            F,
            "大单位电量以 kWh 填入万kWh 列，没有更正，全区能耗随之改变",
            "a large institution keyed kWh in a 万kWh column; nobody corrected it and it moves the whole district",
            line=line,
            cell=cell,
            institution_id=large.institution_id,
            item_code="110",
            year=2021,
            clean_value=kwh,
            figure="electricity_kwh",
        )
    )


def _half_a_file(world: World) -> None:
    content = world.document(direct_report.JSON_2021).content
    late = {**content, "documents": content["documents"][:8]}
    world.landing[LATE] = Document(late, cut=True)
    world.defects.append(
        Defect(
            "b3",
            world.name,
            "flagged",
            "file_refused",
            LATE,
            "文件只传到一半；拒收该文件，其余照常读取",
            "half a file arrived; it is refused and the others load",
            year=2021,
        )
    )
