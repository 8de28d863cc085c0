"""What the registers of the defective world say beside the clean ones: a history, and lines that cannot be right.

Belongs here: mergers, splits, moves, meters, and the defects of registers. Does not belong here: returns. Nothing here
changes a figure of an institution: each event lies so that the lines of both 31 Decembers stay as they are.
"""

from __future__ import annotations

from examples.district.generator import registers
from examples.district.generator.buildings import Building
from examples.district.generator.files import Grid
from examples.district.generator.identity import credit_code
from examples.district.generator.planting import Defect, World

TOWN_REGISTER = "registers/institutions_zhujiajiao.csv"
METERS = "registers/meters_20211231.csv"
PROVISION = "registers/meter_provision_2021.csv"
_MORE = ["建筑面积", "面积单位", "用能人数", "并入单位代码", "分立自单位代码", "重点用能单位"]


def plant_register_changes(world: World, buildings: list[Building]) -> None:
    for line, row in enumerate(world.grid(registers.INSTITUTIONS).lines):
        row.extend(_MORE if line == 0 else [""] * len(_MORE))
    _split(world)
    _merged_and_gone(world)
    _moved(world)
    _parents_in_a_circle(world)
    _listed_by_a_town_too(world)
    _owners(world, [b for b in buildings if b.owner])
    metered = [b for b in buildings if b.feed == "register" and b.owner]
    _meters(world, metered)
    _provision(world, metered[:2])


def _found(
    world: World,
    number: str,
    rule_id: str,
    path: str,
    line: int,
    texts: tuple[str, str],
    institution_id: str = "",
    building_code: str = "",
) -> None:
    world.defects.append(
        Defect(
            number,
            world.name,
            "flagged",
            rule_id,
            path,
            *texts,
            line=line,
            cell=f"A{line}",
            institution_id=institution_id,
            building_code=building_code,
        )
    )


def _split(world: World) -> None:
    """Split off in the middle of 2020, with amounts in both years: the two do not compare like for like."""
    grid = world.grid(registers.INSTITUTIONS)
    line = 301
    grid.put(line, grid.column("生效日期"), "2020-07-01")
    grid.put(line, grid.column("分立自单位代码"), grid.get(302, 1))


def _merged_and_gone(world: World) -> None:
    """Taken over on the first day of 2020: both years of who took it over lie behind it and compare."""
    grid = world.grid(registers.INSTITUTIONS)
    gone = credit_code("12", 900_002)
    kind, town = grid.get(101, 3), grid.get(101, 4)
    grid.lines.append(
        [gone, "示例区原西塘服务中心", kind, town, "", "005", "2015-01-01", "2019-12-31", "800", "m2", "21",
         grid.get(101, 1), "", ""]
    )  # fmt: skip


def _moved(world: World) -> None:
    """Until the middle of 2019 under another name, type, level and parent, in another town and half as large."""
    grid = world.grid(registers.INSTITUTIONS)
    now = grid.lines[120]
    now[6:11] = ["2019-07-01", "", "1200", "m2", "45"]
    before = [now[0], f"{now[1]}（筹）", "03", "310118110", grid.get(2, 1), "006", "2015-01-01", "2019-06-30",
              "600", "m2", "20", "", "", ""]  # fmt: skip
    grid.lines.append(before)


def _parents_in_a_circle(world: World) -> None:
    grid = world.grid(registers.INSTITUTIONS)
    parent = grid.column("上级单位代码")
    for line, above in ((131, 132), (132, 131)):
        grid.put(line, parent, grid.get(above, 1))
        _found(
            world,
            "r1",
            "parent_loop",
            registers.INSTITUTIONS,
            line,
            ("两个单位互为上级", "two institutions are each other's parent"),
            institution_id=grid.get(line, 1),
        )


def _listed_by_a_town_too(world: World) -> None:
    grid = world.grid(registers.INSTITUTIONS)
    header, row = grid.lines[0][:8], grid.lines[150][:8]
    row[6] = "2019-01-01"
    world.landing[TOWN_REGISTER] = Grid("utf-8-sig", [[*header, "名录范围"], [*row, "朱家角镇"]])
    _found(
        world,
        "r2",
        "register_validity_overlaps",
        TOWN_REGISTER,
        2,
        (
            "镇的名录与区的名录同时列出一个单位",
            "a town's register lists an institution that the district's lists too",
        ),
        institution_id=row[0],
    )


def _owners(world: World, owned: list[Building]) -> None:
    grid = world.grid(registers.BUILDINGS)
    first, other = owned[0], owned[9]
    again = next(list(row) for row in grid.lines if row[0] == first.code)
    assert other.owner is not None
    again[4] = other.owner.institution_id
    nobody = ["310118A901", "示例区无主楼", "A", "公共机构", "", "500", "m2", first.town]
    unsaid = ["310118A902", "示例区不明楼", "A", "", "", "500", "m2", first.town]
    for number, rule_id, row, texts in (
        ("r3", "building_two_owners", again, ("一栋建筑同时有两个产权单位", "a building has two owners at one time")),
        ("r4", "building_without_owner", nobody, ("公共机构的建筑没有写所属单位", "a public building names no owner")),
        ("r5", "quarantined_otherwise", unsaid, ("建筑没有写产权性质，已隔离", "a building says no kind of owner and is quarantined")),
    ):  # fmt: skip
        grid.lines.append(row)
        _found(world, number, rule_id, registers.BUILDINGS, len(grid.lines), texts, building_code=row[0])


def _meters(world: World, metered: list[Building]) -> None:
    """Main meters of ten buildings; one of them under a second building; two that lie behind each other."""
    header = ["表计编号", "建筑代码", "所属单位代码", "分项代码", "上级表计", "计量级别", "安装日期"]
    rows = [header]
    for building in metered[:10]:
        assert building.owner is not None
        main = [f"E{building.code[6:]}-1", building.code, building.owner.institution_id, "01000", "", "一级"]
        rows.append([*main, "2015-01-01"])
    for place in (("T-1", "T-2"), ("T-2", "T-1")):
        rows.append([place[0], metered[3].code, rows[4][2], "01A00", place[1], "三级", "2015-01-01"])
        _found(
            world,
            "r6",
            "parent_loop",
            METERS,
            len(rows),
            ("两块表互为上级", "two meters lie behind each other"),
            building_code=metered[3].code,
        )
    rows.append([rows[1][0], metered[1].code, rows[2][2], "01000", "", "一级", "2015-01-01"])
    _found(
        world,
        "r7",
        "meter_feeds_two_buildings",
        METERS,
        len(rows),
        ("一块表同时计量两栋建筑", "one meter feeds two buildings"),
        building_code=metered[1].code,
    )
    world.landing[METERS] = Grid("utf-8-sig", rows)


def _provision(world: World, metered: list[Building]) -> None:
    """What two institutions need: one has its main meter in the register, the other is a key user and lacks a meter."""
    first, key_user = (b.owner for b in metered)
    assert first is not None
    assert key_user is not None
    register = world.grid(registers.INSTITUTIONS)
    register.put(
        register.find(统一社会信用代码=key_user.institution_id), register.column("重点用能单位"), "是"
    )
    rows = [
        ["统一社会信用代码", "年度", "能源品种", "计量级别", "应配数量", "实配数量"],
        [first.institution_id, "2021", "电", "一级", "1", ""],
        [first.institution_id, "2021", "水", "一级", "2", "3"],
        [key_user.institution_id, "2021", "电", "三级", "4", "3"],
    ]
    world.landing[PROVISION] = Grid("utf-8-sig", rows)
    _found(
        world,
        "r8",
        "meter_provision_short",
        PROVISION,
        len(rows),
        ("重点用能单位的主要用能设备缺一块表", "main equipment of a key user lacks a meter"),
        institution_id=key_user.institution_id,
    )
