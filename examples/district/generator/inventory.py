"""The district's own greenhouse-gas inventory: activities by category, and the masses that must follow from them.

Belongs here: the amounts of one file, and what each gives off per stated unit, worked by hand from the printed factors. Nothing
here is read from the product's seeds. The public institutions' own energy is within 1.A.4.a, 1.A.3.b and 1.A-EL.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from examples.district.generator.calibration import YEARS
from examples.district.generator.dice import Dice
from examples.district.generator.files import Grid, Landing, Page, Workbook, plain

FILE = "inventory/activities_2020_2021.xlsx"
TRUTH = "truth/inventory.csv"
REGION = "310118"
MISSING = ""
"""The gas is given off, and no factor of it was gathered."""
_HEADER = ["行政区划代码", "年度", "清单类别", "对象", "活动水平", "单位", "不确定度(%)", "数据来源", "版次"]
_GWP = {
    "CO2": Decimal(1), "CH4": Decimal(28), "N2O": Decimal(265), "HFC32": Decimal(677), "HFC125": Decimal(3170),
    "HFC134a": Decimal(1300), "SF6": Decimal(23500), "HCFC22": Decimal(1760),
}  # fmt: skip
"""AR5, the edition of the example's profile."""


@dataclass(frozen=True)
class Activity:
    """One line of the file. `gases`: category that counts it and gas → kilograms per stated unit, by hand."""

    category: str
    subject: str
    low: str
    high: str
    unit: str
    uncertainty_pct: str
    source: str
    gases: dict[tuple[str, str], str]
    quantum: str = "1"


ACTIVITIES = (
    # 0.038931 GJ/m3 x 15.3 kgC/GJ x 0.99 x 44/12; 5 and 0.1 kg per TJ
    Activity("1.A.4.a", "天然气", "3000", "3400", "万m3", "", "燃气公司",
        {("1.A.4.a", "CO2"): "21621.8881", ("1.A.4.a", "CH4"): "1.94655", ("1.A.4.a", "N2O"): "0.038931"}),
    Activity("1.A.4.b", "天然气", "5200", "5600", "万m3", "", "燃气公司",
        {("1.A.4.b", "CO2"): "21621.8881", ("1.A.4.b", "CH4"): MISSING, ("1.A.4.b", "N2O"): MISSING}),
    # CO2: 43.070 x 18.9 x 0.98 x 44/12 and 42.652 x 20.2 x 0.98 x 44/12; 44.3 MJ/kg x 3.8 and 5.7 kg/TJ, 43.0 MJ/kg x 3.9 kg/TJ
    Activity("1.A.3.b", "汽油", "150000", "170000", "t", "", "商务委",
        {("1.A.3.b", "CO2"): "2925.05598", ("1.A.3.b", "CH4"): "0.16834", ("1.A.3.b", "N2O"): "0.25251"}),
    Activity("1.A.3.b", "柴油", "80000", "90000", "t", "", "商务委",
        {("1.A.3.b", "CO2"): "3095.90964", ("1.A.3.b", "CH4"): "0.1677", ("1.A.3.b", "N2O"): "0.1677"}),
    # 0.5834 kg/kWh: the row of 2021, which the profile names for 2020 too
    Activity("1.A-EL", "外购电力", "70", "80", "亿kWh", "", "供电公司", {("1.A-EL", "CO2"): "58340000"}),
    Activity("2.F.1", "R-410A", "3000", "4000", "kg", "20", "维修企业台账",
        {("2.F.1", "HFC32"): "0.5", ("2.F.1", "HFC125"): "0.5"}),
    Activity("2.F.1", "R-134a", "1000", "1500", "kg", "20", "维修企业台账", {("2.F.1", "HFC134a"): "1"}),
    # outside the basket of the inventory: a mass and what it is worth, and in no total
    Activity("2.F.1", "R-22", "400", "500", "kg", "20", "维修企业台账", {("2.F.1", "HCFC22"): "1"}),
    Activity("2.G.1", "mv_switchgear", "4000", "4200", "kg", "10", "供电公司", {("2.G.1", "SF6"): "0.002"}),
    Activity("2.G.3", "医用氧化亚氮", "900", "1100", "kg", "10", "卫生健康委", {("2.G.3", "N2O"): "1"}),
    Activity("3.A.1", "奶牛（规模化）", "1100", "1300", "头", "5", "农业农村委", {("3.A.1", "CH4"): "88.1"}),
    Activity("3.A.2", "奶牛", "1100", "1300", "头", "5", "农业农村委",
        {("3.A.2", "CH4"): "8.33", ("3.A.2", "N2O"): "2.065"}),
    Activity("3.A.2", "猪", "2", "3", "万头", "5", "农业农村委",
        {("3.A.2", "CH4"): "50800", ("3.A.2", "N2O"): "1750"}, "0.01"),
    # 0.0109 x 44/28 from the field; 0.1 x 0.01 x 44/28 by the air and 0.3 x 0.0075 x 44/28 by water
    Activity("3.C.4", "化肥氮", "2500", "2800", "t", "10", "统计年鉴",
        {("3.C.4", "N2O"): "17.128571413", ("3.C.5", "N2O"): "5.107142853"}),
    Activity("3.C.7", "单季稻", "4500", "4700", "公顷", "5", "统计年鉴", {("3.C.7", "CH4"): "215.5"}),
    # 2.9 t of carbon per hectare of crowns x 44/12, taken up
    Activity("3.B.5", "城镇树冠面积", "2900", "3100", "公顷", "15", "绿化市容局", {("3.B.5", "CO2"): "-10633.333343"}),
    # 0.20 x 0.39 x 0.95 x 44/12; 0.2 kg/Gg; 50 g/t
    Activity("4.C.1", "生活垃圾焚烧", "520000", "560000", "t", "", "绿化市容局",
        {("4.C.1", "CO2"): "271.700000247", ("4.C.1", "CH4"): "0.0002", ("4.C.1", "N2O"): "0.05"}),
    # 0.43 kg BOD/kg COD x 0.6 x 0.165
    Activity("4.D.1", "生活污水 COD", "11000", "13000", "t", "15", "水务局", {("4.D.1", "CH4"): "42.57"}),
    # 94 g x 365 x 0.16 x 1.1 x 1.25 x 0.005 x 44/28
    Activity("4.D.1", "人口", "127", "128", "万人", "", "统计年鉴", {("4.D.1", "N2O"): "593.0728566"}, "0.01"),
)  # fmt: skip


def amounts() -> dict[tuple[int, int], Decimal]:
    """Place of an activity in the list and year → stated amount."""
    return {
        (place, year): Dice(f"inventory {item.category} {item.subject} {year}")
        .between(item.low, item.high)
        .quantize(Decimal(item.quantum))
        for place, item in enumerate(ACTIVITIES)
        for year in YEARS
    }


def files() -> Landing:
    stated = amounts()
    lines = [
        [REGION, str(year), item.category, item.subject, plain(stated[place, year]), item.unit, item.uncertainty_pct, item.source, "1"]
        for year in YEARS
        for place, item in enumerate(ACTIVITIES)
    ]  # fmt: skip
    return {FILE: Workbook([Page("活动水平", [_HEADER, *lines])])}


def truth() -> Landing:
    stated = amounts()
    lines = [
        [
            "region_code",
            "year",
            "activity_category",
            "subject",
            "category_code",
            "gas",
            "gas_mass_kg",
            "emissions_tco2e",
        ]
    ]
    for (place, year), amount in stated.items():
        item = ACTIVITIES[place]
        for (category, gas), per_unit in item.gases.items():
            mass = amount * Decimal(per_unit) if per_unit else None
            figures = ["", ""] if mass is None else [plain(mass), plain(mass * _GWP[gas] / 1000)]
            lines.append([REGION, str(year), item.category, item.subject, category, gas, *figures])
    return {TRUTH: Grid("utf-8", lines)}
