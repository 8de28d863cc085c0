"""Energy-audit workbooks of six institutions: which are audited, what was found, and the short form of the report.

Belongs here: cover, table 2-1 and table 7-2 with merged headers. Does not belong here: the report in full and that of
another agency (`audit_reports`). The audit of 2021 agrees with the return for four of them.
"""

from __future__ import annotations

from decimal import Decimal

from examples.district.generator import audit_reports
from examples.district.generator.calibration import CENT, COEFFICIENTS
from examples.district.generator.dice import Dice
from examples.district.generator.files import Landing, Page, Workbook
from examples.district.generator.institutions import Institution, by_kind

# name in the sheet, item code of the return, cost code, written unit, size of that unit
CARRIERS = [
    ("电力", "110", "111", "万kWh", Decimal(10000)),
    ("天然气", "140", "141", "万m3", Decimal(10000)),
    ("汽油", "150", "151", "L", Decimal(1)),
    ("柴油", "160", "161", "L", Decimal(1)),
    ("热力", "170", "171", "GJ", Decimal(1)),
    ("水", "120", "121", "m3", Decimal(1)),
]
YEARS = (2019, 2020, 2021)
# audited electricity of 2021 over reported, in the order of the workbooks
RATIOS = ["1", "1", "1", "1", "0.982", "1.024"]


def audited(institutions: list[Institution]) -> list[Institution]:
    """Three hospitals, a vocational school, a court and a middle school: the largest of each that use gas."""
    chosen: list[Institution] = []
    for kind, n in (("hospital", 3), ("vocational", 1), ("court", 1), ("middle", 1)):
        ranked = sorted(by_kind(institutions, kind), key=lambda i: (-i.annual[2021]["110"], i.institution_id))
        chosen += ranked[:n]
    return chosen


def path_of(institution: Institution) -> str:
    return f"energy_audit/{institution.institution_id}_能源审计_2021.xlsx"


def electricity_2021(institution: Institution, ratio: str) -> Decimal:
    """kWh as the auditor found it, to the cent."""
    return (institution.annual[2021]["110"] * Decimal(ratio)).quantize(CENT)


def files(institutions: list[Institution]) -> Landing:
    landing: Landing = {}
    for item, ratio in zip(audited(institutions), RATIOS, strict=True):
        landing[path_of(item)] = Workbook([_cover(item), _basics(item), _energy(item, ratio)])
    first, *_, last = audited(institutions)
    landing[path_of(first)] = audit_reports.in_full(_found(first, RATIOS[0]), 2)
    # the draft of the same report, before the main meter was read again: never what counts, whatever its name
    landing[path_of(first).replace(".xlsx", "_送审.xlsx")] = audit_reports.in_full(_found(first, "0.9"), 1)
    landing[path_of(last)] = audit_reports.of_another_agency(_found(last, RATIOS[-1]))
    return landing


def _found(item: Institution, ratio: str) -> audit_reports.Found:
    """Amounts and costs of three years as the auditor found them, in the units of the return."""
    dice = Dice(f"audit of {item.institution_id}")
    found = audit_reports.Found(item.institution_id, item.name)
    for name, code, cost, unit, size in CARRIERS:
        if code not in item.annual[2021]:
            continue
        earlier = dice.between("0.97", "1.06")
        for year in YEARS:
            amount, paid = item.annual[max(year, 2020)][code], item.annual[max(year, 2020)][cost]
            if year == 2019:
                amount, paid = (amount * earlier).quantize(CENT), (paid * earlier).quantize(CENT)
            if year == 2021 and code == "110":
                amount = electricity_2021(item, ratio)
            found.energy.setdefault((name, unit), {})[year] = (amount / size, paid)
    for year in YEARS:
        values = item.annual[max(year, 2020)]
        found.basics[year] = (int(values["101"]), int(values["102"]))
    return found


def _cover(item: Institution) -> Page:
    page = Page(
        "封面",
        [
            ["公共机构能源审计报告", None],
            [None, None],
            ["单位名称", item.name],
            ["统一社会信用代码", item.institution_id],
            ["审计期", "2021年"],
            ["审计机构", "示例区能源审计组"],
            ["报告日期", "2022年3月1日"],
        ],
        widths=[22, 40],
    )
    page.merge(1, 1, 1, 2)
    return page


def _basics(item: Institution) -> Page:
    rows: list[list[str | int | float | None]] = [
        ["表2-1 单位基本情况", None, None, None, None, None],
        [None] * 6,
        ["单位名称", "统一社会信用代码", "年份", "项目", "数值", "单位"],
    ]
    for year in YEARS:
        values = item.annual[max(year, 2020)]
        rows.append([item.name, item.institution_id, year, "建筑面积", int(values["101"]), "m2"])
        rows.append([item.name, item.institution_id, year, "用能人数", int(values["102"]), "人"])
    rows.append(["注：建筑面积不含住宅；用能人数为审计期平均数。", None, None, None, None, None])
    page = Page("2-1 基本情况", rows, widths=[28, 24, 8, 12, 12, 8])
    page.merge(1, 1, 1, 6)
    page.merge(len(rows), 1, len(rows), 6)
    return page


def _energy(item: Institution, ratio: str) -> Page:
    dice = Dice(f"audit of {item.institution_id}")
    rows: list[list[str | int | float | None]] = [
        ["表7-2 三年能源消费", *[None] * 7],
        ["消费量按实物量填报", *[None] * 7],
        ["能源品种", "单位", *[text for year in YEARS for text in (f"{year}年", None)]],
        [None, None, *["消费量", "费用(元)"] * 3],
    ]
    coal = [Decimal(0)] * 3
    money = [Decimal(0)] * 3
    for name, code, cost, unit, size in CARRIERS:
        if code not in item.annual[2021]:
            continue
        row: list[str | int | float | None] = [name, unit]
        earlier = dice.between("0.97", "1.06")
        for n, year in enumerate(YEARS):
            amount, paid = item.annual[max(year, 2020)][code], item.annual[max(year, 2020)][cost]
            if year == 2019:
                amount, paid = (amount * earlier).quantize(CENT), (paid * earlier).quantize(CENT)
            if year == 2021 and code == "110":
                amount = electricity_2021(item, ratio)
            row += [float(amount / size), float(paid)]
            money[n] += paid
            coal[n] += (
                amount * COEFFICIENTS.get({"150": "1501", "160": "1601"}.get(code, code), Decimal(0)) / 1000
            )
        rows.append(row)
    rows.append(
        [
            "合计(tce)",
            "tce",
            *[float(x.quantize(CENT)) for pair in zip(coal, money, strict=True) for x in pair],
        ]
    )
    rows.append(["注：合计按等价值折算，电力折标系数0.3055。", *[None] * 7])
    page = Page("7-2 三年能源消费", rows, widths=[14, 10, 14, 14, 14, 14, 14, 14])
    page.merge(1, 1, 1, 8)
    page.merge(3, 1, 4, 1)
    page.merge(3, 2, 4, 2)
    for column in (3, 5, 7):
        page.merge(3, column, 3, column + 1)
    page.merge(len(rows), 1, len(rows), 8)
    return page
