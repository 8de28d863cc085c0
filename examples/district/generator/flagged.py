"""Defects of the defective world that nothing mends: each is loaded or set aside, and warned about."""

from __future__ import annotations

from decimal import Decimal

from examples.district.generator import audits, direct_report, registers
from examples.district.generator.buildings import ITEM_ELECTRICITY, Building
from examples.district.generator.columns import INSTITUTION_COLUMNS
from examples.district.generator.files import column_letters, plain
from examples.district.generator.identity import credit_code
from examples.district.generator.institutions import Institution
from examples.district.generator.kinds import KIND_BY_NAME
from examples.district.generator.metering import Sums
from examples.district.generator.planting import Defect, World
from examples.district.generator.returns import Row

F = direct_report.F_2021


def plant_flagged(world: World, buildings: list[Building], sums: Sums) -> None:
    _unknown_code(world)
    _text(world)
    _unknown_unit(world)
    _register_falls(world, buildings, sums)
    _not_registered(world)
    _registered_twice(world)
    _audit_differs(world)
    _cost_slip(world)


def missing_month(world: World) -> None:
    """Takes a line out, so it comes before every defect that records a line of this file."""
    item = world.monthly_in_f()
    grid = world.grid(F)
    line = world.lines_of(item)[4]
    scale = {"110": 10000, "140": 10000}  # the f file keeps these two in ten thousands
    figures = [("months_reported", "", "12", "11")]
    for figure, code in INSTITUTION_COLUMNS.items():
        text = grid.get(line, grid.column(f"f{code}"))
        if text and code not in ("101", "102"):
            whole = item.annual[2021][code]
            lost = (Decimal(text) * scale.get(code, 1)).quantize(whole)
            figures.append((figure, code, plain(whole), plain(whole - lost)))
    del grid.lines[line - 1]
    for figure, code, clean, expected in figures:
        world.defects.append(
            Defect(
                "f1",
                world.name,
                "flagged",
                "months_missing",
                F,
                "五月没有上报；不按月数放大",
                "May was not reported; the year is never scaled up",
                institution_id=item.institution_id,
                item_code=code,
                year=2021,
                clean_value=clean,
                expected_value=expected,
                figure=figure,
            )
        )


def _unknown_code(world: World) -> None:
    documents = world.document(direct_report.JSON_2021).content["documents"]
    number = 17
    documents[number - 1]["rowData"]["999"] = "12.5"
    institution_id = str(documents[number - 1]["respondentId"])
    world.hit.add(institution_id)
    world.defects.append(
        Defect(
            "f2",
            world.name,
            "flagged",
            "unknown_item_code",
            direct_report.JSON_2021,
            "rowData 中有表样没有的代码 999",
            "rowData holds the code 999, which the form does not have",
            line=number,
            institution_id=institution_id,
            item_code="999",
            year=2021,
        )
    )


def _text(world: World) -> None:
    item = world.annual_in_f(uses="104", low="1000", high="400000")
    line = world.lines_of(item)[0]
    column, cell = world.f_cell("104", line)
    world.grid(F).put(line, column, "见附件")
    world.defects.append(
        Defect(
            "f3",
            world.name,
            "flagged",
            "not_a_number",
            F,
            "液化石油气消费量填写“见附件”，没有更正",
            "LPG consumption says 'see attachment', and nobody has corrected it",
            line=line,
            cell=cell,
            institution_id=item.institution_id,
            item_code="104",
            year=2021,
            clean_value=plain(item.annual[2021]["104"]),
            figure="lpg_kg",
        )
    )


def _unknown_unit(world: World) -> None:
    item = world.mark(audits.audited(world.institutions)[2])
    path = audits.path_of(item)
    page = world.workbook(path).page("7-2")
    row = next(n for n, cells in enumerate(page.rows, 1) if cells[0] == "汽油")
    page.rows[row - 1][1] = "斤"
    world.defects.append(
        Defect(
            "f4",
            world.name,
            "flagged",
            "unknown_unit",
            path,
            f"汽油一行的单位（B{row}）是“斤”",
            f"the unit of the petrol row (B{row}) is 斤, half a kilogram, which no table converts",
            sheet=page.name,
            line=row,
            cell=f"G{row}",
            institution_id=item.institution_id,
            item_code="gasoline",
            year=2021,
        )
    )


def _register_falls(world: World, buildings: list[Building], sums: Sums) -> None:
    building = [b for b in buildings if b.feed == "register" and b.class_code == "B"][2]
    path = "metering/registers_2021.csv"
    grid, lines = world.grid(path), world.register_lines(building.code, 2021)
    reading = grid.column("读数")
    values = [Decimal(grid.get(line, reading)) for line in lines]
    multiplier = Decimal(grid.get(lines[0], grid.column("倍率")))
    at = 7  # 1 August: the register counts from near zero and nobody said why
    for n in range(at, len(values)):
        grid.put(lines[n], reading, plain(values[n] - values[at] + Decimal("12.34")))
    whole = sums[building.code, 2021, ITEM_ELECTRICITY]
    kwh = plain(whole - (values[at] - values[at - 1]) * multiplier)
    for figure, clean, expected in (
        ("electricity_kwh", plain(whole), kwh),
        ("electricity_coverage_share", "8760/8760", "8016/8760"),
    ):
        world.defects.append(
            Defect(
                "f5",
                world.name,
                "flagged",
                "register_decreased",
                path,
                "读数下降而没有换表记录；七月的用量不可知",
                "the reading falls and no replacement is recorded; July's amount cannot be known",
                line=lines[at],
                cell=f"{column_letters(reading)}{lines[at]}",
                building_code=building.code,
                item_code=ITEM_ELECTRICITY,
                year=2021,
                clean_value=clean,
                expected_value=expected,
                figure=figure,
            )
        )


def _not_registered(world: World) -> None:
    values = {
        "009": Decimal(2100),
        "101": Decimal(1350),
        "102": Decimal(41),
        "1021": Decimal(22),
        "103": Decimal(0),
        "1031": Decimal(0),
        "1032": Decimal(0),
        "1033": Decimal(0),
        "110": Decimal("38214.50"),
        "111": Decimal("31565.20"),
        "120": Decimal(655),
        "121": Decimal("3340.50"),
    }
    stranger = Institution(
        credit_code("12", 900_001),
        "示例区未登记服务站",
        KIND_BY_NAME["service"],
        "310118105",
        "005",
        "2021-01-01",
    )
    grid = world.grid(F)
    grid.lines.append(direct_report.f_line(Row(stranger, "2021000", values)))
    line = len(grid.lines)
    # the platform knows it and its town; only the register does not
    world.grid("direct_report/NY101_2021.csv").lines.append(
        direct_report.basic_form(stranger, 450, "1号", 2021)
    )
    for figure, code in INSTITUTION_COLUMNS.items():
        if code not in values:
            continue
        world.defects.append(
            Defect(
                "f6",
                world.name,
                "flagged",
                "not_registered",
                F,
                "上报单位不在名录库中；2025 版之前仍计入，并提示",
                "the institution is not in the register; before the 2025 edition it counts, with a warning",
                line=line,
                cell=f"A{line}",
                institution_id=stranger.institution_id,
                year=2021,
                expected_value=plain(values[code]),
                figure=figure,
            )
        )


def _registered_twice(world: World) -> None:
    grid = world.grid(registers.INSTITUTIONS)
    row = list(grid.lines[200])
    row[1] = f"{row[1]}（旧名）"
    grid.lines.append(row)
    line = len(grid.lines)
    world.defects.append(
        Defect(
            "f7",
            world.name,
            "flagged",
            "duplicate_register_row",
            registers.INSTITUTIONS,
            "同一代码在名录中有两行，名称不同",
            "one code stands twice in the register under two names",
            line=line,
            cell=f"A{line}",
            institution_id=row[0],
        )
    )


def _audit_differs(world: World) -> None:
    item = world.mark(audits.audited(world.institutions)[3])
    path = audits.path_of(item)
    page = world.workbook(path).page("7-2")
    row = next(n for n, cells in enumerate(page.rows, 1) if cells[0] == "电力")
    audited = audits.electricity_2021(item, "1.12")
    page.rows[row - 1][6] = float(audited / 10000)
    reported = plain(audits.electricity_2021(item, "1"))
    world.overrides.append(
        {
            "id": "O-1",
            "institution": item.institution_id,
            "carrier": "electricity",
            "year": 2021,
            "source": "reported",
            "expect": reported,
            "reason": "审计取了另一栋楼的账单，以上报为准",
            "reviewer": "示例复核员",
        }
    )
    world.defects.append(
        Defect(
            "f8",
            world.name,
            "flagged",
            "audit_differs",
            path,
            "审计电量比上报高 12%",
            "audited electricity is 12 % above the return",
            sheet=page.name,
            line=row,
            cell=f"G{row}",
            institution_id=item.institution_id,
            item_code="electricity",
            year=2021,
            clean_value=reported,
            expected_value=plain(audited),
            figure="electricity_audited_kwh",
        )
    )


def _cost_slip(world: World) -> None:
    item = world.annual_in_f(uses="140", low="1000", high="60000")
    line = world.lines_of(item)[0]
    column, cell = world.f_cell("141", line)
    slipped = (item.annual[2021]["141"] / 10000).quantize(Decimal("0.0001"))
    world.grid(F).put(line, column, plain(slipped))
    world.defects.append(
        Defect(
            "f9",
            world.name,
            "flagged",
            "unit_price_slip",
            F,
            "天然气费用以万元填入元列；能耗不受影响",
            "gas cost keyed in 10,000 yuan in a yuan column; no energy figure is touched",
            line=line,
            cell=cell,
            institution_id=item.institution_id,
            item_code="141",
            year=2021,
            clean_value=plain(item.annual[2021]["141"]),
            expected_value=plain(slipped),
            figure="natural_gas_cost_cny",
        )
    )
