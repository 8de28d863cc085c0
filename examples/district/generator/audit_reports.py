"""Audit reports in full: all tables of a workbook, and the workbook of another agency, with what real ones bring.

Belongs here: sheets with titles, merged headers of several lines, units in brackets and in columns, subtotals inside
blocks, footnotes, formulas, hidden sheets. Does not belong here: what was audited (`audits`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from examples.district.generator.calibration import CENT
from examples.district.generator.files import Cell, Formula, Page, Workbook

YEARS = (2019, 2020, 2021)
_MONTHS = [11, 10, 8, 6, 6, 8, 10, 11, 8, 6, 7, 9]
_EMISSIONS = {"电力": "0.5703", "天然气": "2.1622", "汽油": "2.17", "柴油": "2.63", "热力": "0.11"}
_OTHER_NAMES = {"汽油": "车用汽油", "热力": "外购热力", "水": "自来水"}


@dataclass
class Found:
    """What an audit found: by (carrier, written unit) and year the amount in that unit and the cost in yuan;
    by year floor area and persons."""

    institution_id: str
    name: str
    energy: dict[tuple[str, str], dict[int, tuple[Decimal, Decimal]]] = field(default_factory=dict)
    basics: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def areas(self) -> tuple[int, int]:
        """Floor area of the two buildings of 2021."""
        total = self.basics[2021][0]
        return total - total // 3, total // 3


def in_full(found: Found, release: int) -> Workbook:
    """The report with all tables: release 1 is the draft, release 2 the final one."""
    pages = [
        _cover(found, release),
        _basics(found),
        _buildings(found),
        _meters(found),
        _equipment(),
        _energy(found),
        _carbon(found),
        _months(found),
        _prices(found),
        *_measures(),
        Page("参数", [["折标系数", 0.3055], ["旧版电量", 1]], is_hidden=True),
    ]
    return Workbook(pages)


def _titled(name: str, title: str, header: list[list[Cell]], rows: list[list[Cell]], note: str = "") -> Page:
    """A page with a title over all columns, its header lines, its rows and a footnote."""
    width = len(header[-1])
    lines: list[list[Cell]] = [[title, *[None] * (width - 1)], [None] * width, *header, *rows]
    if note:
        lines.append([note, *[None] * (width - 1)])
    page = Page(name, lines)
    page.merge(1, 1, 1, width)
    if note:
        page.merge(len(lines), 1, len(lines), width)
    return page


def _cover(found: Found, release: int) -> Page:
    rows: list[list[Cell]] = [
        ["公共机构能源审计报告", None],
        ["单位名称", found.name],
        ["统一社会信用代码", found.institution_id],
        ["审计期", "2021年1月—12月"],
        ["审计机构", "示例区能源审计组"],
        ["版次", f"第{release}版"],
        ["报告状态", "正式稿" if release > 1 else "送审稿"],
        ["报告日期", "2022年3月1日" if release > 1 else "2022年1月20日"],
    ]
    page = Page("封面", rows, widths=[22, 40])
    page.merge(1, 1, 1, 2)
    return page


def _basics(found: Found) -> Page:
    header: list[list[Cell]] = [["项目", "单位", *[f"{year}年" for year in YEARS]]]
    rows: list[list[Cell]] = [
        ["建筑面积", "m2", *[found.basics[year][0] for year in YEARS]],
        ["用能人数", "人", *[found.basics[year][1] for year in YEARS]],
    ]
    return _titled("2-1 基本情况", "表2-1 单位基本情况", header, rows, "注：建筑面积不含住宅。")


def _buildings(found: Found) -> Page:
    envelope: list[Cell] = ["围护结构", None, None, None, None, None]
    header: list[list[Cell]] = [
        ["建筑编号", "建筑名称", "建筑功能", "竣工年份", "面积", None, None, *envelope, "空调系统形式", "采暖系统形式"],
        [None, None, None, None, "建筑面积(m2)", "空调面积(m2)", "采暖面积(m2)", "结构形式", "外墙材料", "外墙保温",
         "外窗类型", "玻璃类型", "窗框材料", None, None],
    ]  # fmt: skip
    one, two = found.areas
    rows: list[list[Cell]] = [
        ["1#", "门诊住院楼", "医疗", 2008, one, one, one, "框架结构", "建筑砌块", "外保温", "双层窗", "中空玻璃",
         "断热铝合金", "风机盘管+新风系统", "空调系统集中供暖"],
        ["2#", "行政后勤楼", "办公", 1996, two, two // 2, None, "砖混结构", "砖", None, "单层窗", "普通玻璃",
         "铝合金", "分体式空调或VRV的局部式机组系统", None],
        ["合计", None, None, None, Formula("=SUM(E5:E6)", one + two), None, None, *[None] * 8],
    ]  # fmt: skip
    page = _titled("2-2 建筑", "表2-2 建筑及围护结构", header, rows, "注：空调面积为常年使用面积。")
    for column in (1, 2, 3, 4, 14, 15):
        page.merge(3, column, 4, column)
    page.merge(3, 5, 3, 7)
    page.merge(3, 8, 3, 13)
    return page


def _meters(found: Found) -> Page:
    header: list[list[Cell]] = [
        ["表计编号", "表计名称", "计量能源", "级别", "准确度等级", "倍率", "安装位置", "建筑编号", "检定日期"]
    ]
    rows: list[list[Cell]] = [
        ["E01", "进线总表", "电力", "一级", "0.5S", 4000, "配电房", "1#", "2020-06-15"],
        ["E02", "行政楼分表", "电力", "二级", "1.0", 80, "行政楼配电间", "2#", "2020-06-15"],
        ["W01", "自来水总表", "水", "一级", "2.0", 1, "水泵房", "1#", None],
    ]
    return _titled("4-1 计量器具", "表4-1 能源计量器具一览", header, rows)


def _equipment() -> Page:
    header: list[list[Cell]] = [
        ["设备编号", "系统类别", "设备名称", "型号", "数量(台)", "额定功率", "功率单位", "年运行时间(h)", "能效等级",
         "投用年份", "安装位置"]
    ]  # fmt: skip
    empty: list[Cell] = [None] * 5
    rows: list[list[Cell]] = [
        ["A-01", "暖通空调", "离心式冷水机组", "CH-500", 2, 350, "kW", 1450, "2级", 2012, "冷冻机房"],
        ["A-02", "暖通空调", "冷冻水泵", "IS150", 3, 45, "kW", 1450, "3级", 2012, "冷冻机房"],
        ["小计", None, None, None, Formula("=SUM(E4:E5)", 5), None, *empty],
        ["L-01", "照明", "LED灯盘", "600x600", 1800, 36, "W", 2600, "1级", 2019, "各楼层"],
        ["T-01", "电梯", "医用电梯", "MRL-1600", 6, 18.5, "kW", 4380, None, 2008, "门诊住院楼"],
    ]
    return _titled("5-1 用能设备", "表5-1 主要用能设备", header, rows, "注：照明功率为单灯功率。")


def _energy(found: Found) -> Page:
    header: list[list[Cell]] = [
        ["能源种类", "单位", *[text for year in YEARS for text in (f"{year}年", None)]],
        [None, None, *["消费量", "费用(元)"] * 3],
    ]
    rows: list[list[Cell]] = []
    for (name, unit), years in found.energy.items():
        row: list[Cell] = [name, unit]
        for year in YEARS:
            amount, paid = years[year]
            row += [float(amount), float(paid)]
        if name == "电力":
            row[6] = Formula("=SUM('9-1 逐月'!B5:B16)", float(years[2021][0]))
        rows.append(row)
    total = [float(sum(years[year][1] for years in found.energy.values())) for year in YEARS]
    rows.append(["费用合计", None, *[cell for value in total for cell in (None, value)]])
    rows[-1][0] = "合计"
    page = _titled("7-2 三年能源消费", "表7-2 三年能源消费", header, rows, "注：费用含税。")
    page.merge(3, 1, 4, 1)
    page.merge(3, 2, 4, 2)
    for column in (3, 5, 7):
        page.merge(3, column, 3, column + 1)
    return page


def _carbon(found: Found) -> Page:
    header: list[list[Cell]] = [["排放源", *[f"{year}年排放量(tCO2)" for year in YEARS]]]
    rows: list[list[Cell]] = []
    for (name, unit), years in found.energy.items():
        if name in _EMISSIONS:
            thousand = {"万kWh": 10, "万m3": 10, "GJ": 1}.get(unit, Decimal("0.001"))
            factor = Decimal(_EMISSIONS[name]) * thousand
            rows.append([name, *[float((years[year][0] * factor).quantize(CENT)) for year in YEARS]])
    rows.append(["合计", *[float(sum(Decimal(str(row[n])) for row in rows)) for n in (1, 2, 3)]])
    return _titled("8-1 碳排放", "表8-1 碳排放", header, rows)


def _months(found: Found) -> Page:
    header: list[list[Cell]] = [
        ["单位: 见表头", None, None, None, None],
        ["月份", "用电量(万kWh)", "电费(元)", "用水量(m3)", "水费(元)"],
    ]
    columns = [
        _spread(found.energy[key][2021][n])
        for key in (("电力", "万kWh"), ("水", "m3"))
        for n in (0, 1)
    ]
    rows: list[list[Cell]] = [
        [f"{month + 1}月", *[float(column[month]) for column in columns]] for month in range(12)
    ]
    sums = [float(sum(column)) for column in columns]
    rows.append(["合计", *[Formula(f"=SUM({c}5:{c}16)", value) for c, value in zip("BCDE", sums, strict=True)]])
    return _titled("9-1 逐月", "表9-1 2021年逐月用量与费用", header, rows)


def _spread(total: Decimal) -> list[Decimal]:
    """A year's amount over its months by weight, to the digits of the amount; December takes what is left."""
    step = Decimal(1).scaleb(total.as_tuple().exponent)  # type: ignore[arg-type]
    parts = [(total * weight / 100).quantize(step) for weight in _MONTHS[:-1]]
    return [*parts, total - sum(parts)]


def _prices(found: Found) -> Page:
    header: list[list[Cell]] = [["价格项", "单位", *[f"{year}年" for year in YEARS]]]
    rows: list[list[Cell]] = []
    for carrier, unit, size, name, written in (
        ("电力", "万kWh", 10000, "电价", "元/kWh"),
        ("水", "m3", 1, "水价", "元/m3"),
    ):
        years = found.energy[(carrier, unit)]
        prices = [float((years[y][1] / years[y][0] / size).quantize(Decimal("0.0001"))) for y in YEARS]
        rows.append([name, written, *prices])
    return _titled("9-2 价格", "表9-2 能源价格", header, rows)


def _measures() -> list[Page]:
    header: list[list[Cell]] = [
        ["序号", "措施名称", "措施类别", "实施年份", "投资(万元)", "年节能量(tce)", "年节电量(万kWh)", "年节约费用(万元)",
         "年减排量(tCO2)", "投资回收期(年)"]
    ]  # fmt: skip
    done: list[list[Cell]] = [
        [1, "门诊楼LED照明改造", "技术", 2019, 86.5, 42.3, 13.8462, 11.2, 78.97, 7.7],
        [2, "空调分时管理", "管理", 2020, 0, 9.1, 2.9787, 2.4, 16.99, 0],
    ]
    potential: list[list[Cell]] = [[1, "冷水机组变频改造", "技术", None, 120, 61, 19.967, 16.2, 113.87, 7.4]]
    planned: list[list[Cell]] = [[1, "屋面光伏", "技术", 2023, 240, 91.65, 30, 24.5, 171.09, 9.8]]
    names = (("10-1 既有改造", done), ("10-2 节能潜力", potential), ("10-3 改造计划", planned))
    return [_titled(name, f"表{name}", header, rows, "注：节能量按等价值折算。") for name, rows in names]


def of_another_agency(found: Found) -> Workbook:
    """The same facts as another agency lays them out: pairs of years, blocks with subtotals, one list of measures."""
    front: list[list[Cell]] = [
        ["能源审计报表", None],
        ["被审计单位：", found.name],
        ["信用代码：", found.institution_id],
        ["审计年度：", 2021],
        ["版本：", "V1"],
        ["状态：", "终稿"],
        ["签发日期：", "2022-04-12"],
    ]
    one, two = found.areas
    buildings: list[list[Cell]] = [
        ["1", "教学楼", "教学", "2001年9月", one, two, "框架结构", "建筑砌块", "分体式空调或VRV的局部式机组系统"],
        ["2", "综合楼", "办公", "1998年", two, two, "砖混结构", "砖", "分体式空调或VRV的局部式机组系统"],
        ["合计", None, None, None, one + two, None, None, None, None],
    ]
    building_header: list[list[Cell]] = [
        ["楼号", "楼名", "用途", "建成时间", "建筑面积（平方米）", "空调面积（平方米）", "结构", "外墙", "空调形式"]
    ]
    equipment: list[list[Cell]] = [
        ["K1", "空调", "分体空调", "KFR-35", 64, 1.2, 900, "1级", "2018年"],
        ["K2", "空调", "多联机", "VRV-12", 4, 11, 1100, None, "2015年"],
        ["小计", None, None, None, 68, None, None, None, None],
        ["Z1", "照明", "LED灯管", "T8", 900, 0.016, 1800, "1级", "2020年"],
    ]
    equipment_header: list[list[Cell]] = [
        ["编号", "类别", "设备名称", "规格型号", "台数", "单台功率（kW）", "年运行小时（小时）", "能效等级", "启用时间"]
    ]
    measures: list[list[Cell]] = [
        [1, "食堂灶具节能改造", "已实施", "2020年", 36000, 3.2, 21000],
        [2, "教室照明分区控制", "建议", None, 18000, 2.6, 6800],
        [3, "教学楼屋面保温", "计划", "2023年", 420000, 11.5, 30500],
    ]
    measure_header: list[list[Cell]] = [
        ["序号", "措施", "状态", "时间", "投资额（元）", "年节能量（吨标准煤）", "年节约（元）"]
    ]
    return Workbook(
        [
            Page("首页", front, widths=[20, 40]),
            _pairs(found),
            _titled("建筑清单", "建筑清单", building_header, buildings),
            _titled("用能设备清单", "主要用能设备", equipment_header, equipment),
            _titled("节能措施", "节能措施一览", measure_header, measures, "※ 节约费用按2021年价格计算。"),
            Page("底稿1", [["旧表电量", 12345], ["勿用", None]], is_hidden=True),
        ]
    )


def _pairs(found: Found) -> Page:
    header: list[list[Cell]] = [
        ["用能种类", "计量单位", "消费量", None, None, "费用(元)", None],
        [None, None, "本期", "同期", "增减(%)", "本期", "同期"],
    ]
    blocks: list[list[list[Cell]]] = [[["一、能源", *[None] * 6]], [["二、水", *[None] * 6]]]
    for (name, unit), years in found.energy.items():
        (now, paid), (before, paid_before) = years[2021], years[2020]
        change = float(((now / before - 1) * 100).quantize(Decimal("0.1"))) if before else None
        row: list[Cell] = [
            _OTHER_NAMES.get(name, name), unit, float(now), float(before), change, float(paid), float(paid_before)
        ]  # fmt: skip
        blocks[name == "水"].append(row)
    rows: list[list[Cell]] = []
    for block in blocks:
        paid_sums = [sum(Decimal(str(row[n])) for row in block[1:]) for n in (5, 6)]
        rows += [*block, ["小计", None, None, None, None, *[float(value) for value in paid_sums]]]
    page = _titled("能源消费对比", "能源消费本期同期对比表", header, rows, "※ 本期为审计年度，同期为上一年度。")
    page.merge(3, 1, 4, 1)
    page.merge(3, 2, 4, 2)
    page.merge(3, 3, 3, 5)
    page.merge(3, 6, 3, 7)
    return page
