"""Draws the 142 metered buildings, their owners and their annual metered amounts.

Belongs here: which building belongs to whom, how much passes its meters. A building of an institution
measures a little less than the institution reports: small sub-buildings and street lamps have no meter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from examples.district.generator.calibration import YEARS
from examples.district.generator.dice import Dice
from examples.district.generator.identity import DIVISION, PLACES, TOWN_WEIGHTS, TOWNS
from examples.district.generator.institutions import Institution, by_kind

# class → (buildings, of which owned by institutions, kinds of owner, name of others, kWh/m2, area of others)
CLASSES: dict[str, tuple[int, int, tuple[str, ...], str, int, int]] = {
    "A": (50, 30, ("bureau", "town_government", "court", "party", "service"), "商务楼", 78, 14000),
    "B": (19, 0, (), "购物中心", 148, 42000),
    "C": (9, 0, (), "宾馆", 112, 26000),
    "D": (36, 36, ("primary", "middle", "vocational", "kindergarten", "culture"), "", 0, 0),
    "E": (12, 12, ("hospital", "community_health"), "", 0, 0),
    "G": (8, 2, ("sports",), "综合楼", 92, 24000),
    "H": (8, 4, ("health_office", "training", "research"), "展示馆", 70, 9000),
}

ITEM_ELECTRICITY, ITEM_WATER, ITEM_GAS = "01000", "02000", "03000"


@dataclass
class Building:
    """`feed`: node (hourly XML, December 2021 only), daily (CSV) or register (readings at month starts)."""

    code: str
    name: str
    class_code: str
    owner: Institution | None
    town: str
    floor_area: Decimal
    built_year: int
    feed: str = "register"
    has_sub_items: bool = False
    targets: dict[tuple[int, str], Decimal] = field(default_factory=dict)


def draw(institutions: list[Institution]) -> list[Building]:
    buildings: list[Building] = []
    dice = Dice("buildings")
    for class_code, (n, n_owned, kinds, other_name, intensity, area) in CLASSES.items():
        owners = _owners(institutions, kinds, n_owned)
        for serial in range(1, n + 1):
            code = f"{DIVISION}{class_code}{serial:03d}"
            if serial <= n_owned:
                owner, share, label = owners[serial - 1]
                buildings.append(_owned(code, class_code, owner, share, label, dice))
            else:
                buildings.append(_other(code, class_code, f"{other_name}", intensity, area, serial, dice))
    _feeds(buildings)
    _gas_and_water(buildings)
    return buildings


def _owners(
    institutions: list[Institution], kinds: tuple[str, ...], n: int
) -> list[tuple[Institution, Decimal, str]]:
    """The largest users of these kinds; the two largest hospitals have two buildings each."""
    if not n:
        return []
    ranked = sorted(by_kind(institutions, *kinds), key=lambda i: (-i.annual[2021]["110"], i.institution_id))
    found: list[tuple[Institution, Decimal, str]] = []
    for item in ranked:
        if item.kind.name == "hospital" and len(found) < 4:
            found += [(item, Decimal("0.58"), "门诊楼"), (item, Decimal("0.33"), "住院楼")]
        else:
            found.append((item, Decimal("0.93"), "主楼"))
    return found[:n]


def _owned(
    code: str, class_code: str, owner: Institution, share: Decimal, label: str, dice: Dice
) -> Building:
    area = (owner.annual[2021]["101"] * share * dice.between("0.90", "1")).quantize(Decimal("0.01"))
    building = Building(
        code, f"{owner.name}{label}", class_code, owner, owner.town, area, 1985 + dice.below(34)
    )
    part = share * dice.between("0.95", "1.02")
    for year in YEARS:
        building.targets[year, ITEM_ELECTRICITY] = (
            owner.annual[year]["110"] * part * dice.between("0.99", "1.01")
        )
    return building


def _other(
    code: str, class_code: str, kind_name: str, intensity: int, usual_area: int, serial: int, dice: Dice
) -> Building:
    towns = [town for town, weight in zip(TOWNS, TOWN_WEIGHTS, strict=True) for _ in range(weight)]
    area = (usual_area * dice.factor("0.35")).quantize(Decimal("0.01"))
    name = f"示例{PLACES[(serial * 7) % len(PLACES)]}{kind_name}"
    building = Building(code, name, class_code, None, dice.pick(towns), area, 1992 + dice.below(28))
    per_area = intensity * dice.factor("0.2")
    growth = {2020: Decimal(1), 2021: dice.between("0.98", "1.14")}
    for year in YEARS:
        building.targets[year, ITEM_ELECTRICITY] = area * per_area * growth[year]
    return building


# few, because a line a day is what makes the folder large
DAILY = {"A": 4, "B": 1, "C": 1, "D": 2, "E": 1}
SUB_METERED = ("A", "D")


def _feeds(buildings: list[Building]) -> None:
    """Four buildings of a node that began in December, some with daily values, all others read monthly."""
    dice = Dice("feeds")
    others = {letter: [b for b in buildings if b.class_code == letter and not b.owner] for letter in "ABCH"}
    for letter in "ABC":
        others[letter][-1].feed = "node"
    owned_h = [b for b in buildings if b.class_code == "H" and b.owner]
    owned_h[0].feed = "node"
    daily: list[Building] = []
    for letter, n in DAILY.items():
        daily += dice.some([b for b in buildings if b.class_code == letter and b.feed == "register"], n)
    for building in daily:
        building.feed = "daily"
    for letter in SUB_METERED:
        next(b for b in daily if b.class_code == letter).has_sub_items = True


def _gas_and_water(buildings: list[Building]) -> None:
    dice = Dice("gas and water meters")
    registers = [b for b in buildings if b.feed == "register"]
    with_gas = [b for b in registers if b.owner and "140" in b.owner.carriers and b.class_code in "DE"]
    hotels = [b for b in registers if b.class_code in "BC"]
    for building in [*dice.some(with_gas, 12), *dice.some(hotels, 8)]:
        part = dice.between("0.80", "0.94")
        for year in YEARS:
            if building.owner:
                amount = building.owner.annual[year]["140"] * part
            else:
                amount = building.floor_area * part * (5 if building.class_code == "C" else 2)
            building.targets[year, ITEM_GAS] = amount
    for building in dice.some([b for b in registers if b.owner], 10):
        part = dice.between("0.82", "0.95")
        for year in YEARS:
            assert building.owner is not None
            building.targets[year, ITEM_WATER] = building.owner.annual[year]["120"] * part
