"""Draws the 449 institutions and what each consumes, then scales once per carrier and year.

Belongs here: the register facts and the annual values of every institution. Does not belong here: files,
months, buildings. No institution is ever adjusted on its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from examples.district.generator.calibration import (
    CENT,
    FLOOR_AREA_M2,
    PERSONS,
    PRICES,
    QUANTA,
    YEARS,
    carrier_totals,
)
from examples.district.generator.dice import Dice, apportion
from examples.district.generator.identity import PLACES, TOWN_WEIGHTS, TOWNS, credit_code
from examples.district.generator.kinds import KIND_BY_NAME, KINDS, SUFFIXES, Kind

Values = dict[str, Decimal]
ONE = Decimal(1)


@dataclass
class Institution:
    """One register row. `annual` holds NY201 values by year and item code; a carrier not used is not there."""

    institution_id: str
    name: str
    kind: Kind
    town: str
    level: str
    valid_from: str
    parent_id: str = ""
    carriers: set[str] = field(default_factory=set)
    annual: dict[int, Values] = field(default_factory=dict)

    @property
    def type_code(self) -> str:
        return self.kind.type_code


def draw() -> list[Institution]:
    """All institutions with scaled annual values for both years."""
    institutions = _register()
    _carriers(institutions)
    base = _base_weights(institutions)
    area = apportion(FLOOR_AREA_M2[2021], [base["101"][i] for i in range(len(institutions))], ONE)
    for year in YEARS:
        _scale_year(institutions, year, base, area)
        _costs(institutions, year)
        _stocks(institutions, year)
    return institutions


def _register() -> list[Institution]:
    dice = Dice("register")
    drawn: list[Institution] = []
    names: set[str] = set()
    town_codes = [code for code, weight in zip(TOWNS, TOWN_WEIGHTS, strict=True) for _ in range(weight)]
    for kind in KINDS:
        for number in range(kind.n):
            town = list(TOWNS)[number] if kind.name == "town_government" else dice.pick(town_codes)
            if kind.name == "town_government":
                name = f"示例区{TOWNS[town]}{kind.suffix}"
            else:
                name = _free_name(dice, kind, names)
            names.add(name)
            drawn.append(
                Institution(
                    institution_id=credit_code(kind.prefix, 100_000 + 37 * len(drawn)),
                    name=name,
                    kind=kind,
                    town=town,
                    level="006" if kind.name == "town_government" else "005",
                    valid_from=f"{2015 + dice.below(4)}-{1 + dice.below(12):02d}-01"
                    if dice.chance(20)
                    else "2015-01-01",
                )
            )
    _parents(drawn)
    return drawn


def _free_name(dice: Dice, kind: Kind, taken: set[str]) -> str:
    while True:
        place = dice.pick(PLACES)
        name = f"示例区{place}{dice.pick(SUFFIXES.get(kind.name, [kind.suffix]))}"
        if name not in taken:
            return name


def _parents(institutions: list[Institution]) -> None:
    """Schools and health bodies belong to a bureau each, culture and sports to a third."""
    bureaus = [item for item in institutions if item.kind.name == "bureau"]
    owner = {"021": bureaus[0], "024": bureaus[1], "023": bureaus[2], "025": bureaus[2]}
    for item in institutions:
        if item.type_code in owner:
            item.parent_id = owner[item.type_code].institution_id


def _carriers(institutions: list[Institution]) -> None:
    """Which carriers each one uses; the same in both years."""
    dice = Dice("carriers")
    for item in institutions:
        kind = item.kind
        item.carriers = {"110", "120"}
        if dice.chance(kind.gas_percent):
            item.carriers.add("140")
        elif dice.chance(kind.lpg_percent):
            item.carriers.add("104")
        if dice.chance(kind.petrol_percent):
            item.carriers.add("1501")
        if dice.chance(kind.diesel_percent):
            item.carriers.add("1601")
        if dice.chance({"service": 14, "primary": 8, "middle": 10}.get(kind.name, 2)):
            item.carriers.add("1502")
        if dice.chance(
            {"hospital": 100, "court": 50, "vocational": 50, "community_health": 30}.get(kind.name, 2)
        ):
            item.carriers.add("1602")
    few = Dice("rare carriers")
    for item in few.some([i for i in institutions if i.kind.name in ("hospital", "vocational", "sports")], 5):
        item.carriers.add("170")
    rural = [i for i in institutions if i.kind.name == "primary" and "140" not in i.carriers]
    for item in few.some(rural, 2):
        item.carriers.add("130")
        item.town = few.pick(["310118103", "310118104"])
    for item in few.some([i for i in institutions if i.kind.name == "service"], 2):
        item.carriers.add("180")


def _base_weights(institutions: list[Institution]) -> dict[str, list[Decimal]]:
    """A plausible amount of every carrier for every institution, before scaling; zero where not used."""
    dice = Dice("weights")
    weights: dict[str, list[Decimal]] = {code: [] for code in ["101", "102", *QUANTA]}
    for item in institutions:
        kind = item.kind
        area = Decimal(kind.area) * dice.factor("0.42")
        persons = area / Decimal(kind.density) * dice.factor("0.16")
        usual = {
            "101": area,
            "102": persons,
            "110": area * Decimal(kind.electricity) * dice.factor("0.22"),
            "120": persons * Decimal(kind.water) * dice.factor("0.20"),
            "140": area * Decimal(kind.gas) * dice.factor("0.22"),
            "104": area * Decimal("0.9") * dice.factor("0.22"),
            "130": area * Decimal("0.002") * dice.factor("0.1"),
            "1501": Decimal(kind.petrol) * dice.factor("0.3"),
            "1502": Decimal(120) * dice.factor("0.3"),
            "1601": Decimal(kind.diesel) * dice.factor("0.3"),
            "1602": area * Decimal("0.08") * dice.factor("0.2"),
            "170": area * Decimal("0.08") * dice.factor("0.15"),
            "180": area * Decimal("0.01") * dice.factor("0.1"),
        }
        for code, amount in usual.items():
            used = code in ("101", "102") or code in item.carriers
            weights[code].append(amount if used else Decimal(0))
    return weights


def _scale_year(
    institutions: list[Institution], year: int, base: dict[str, list[Decimal]], area: list[Decimal]
) -> None:
    dice = Dice(f"year {year}")
    totals = carrier_totals(year)
    persons = apportion(PERSONS[year], [w * dice.factor("0.03") for w in base["102"]], ONE)
    for item, m2, heads in zip(institutions, area, persons, strict=True):
        item.annual[year] = {"101": m2, "102": heads}
    for code, total in totals.items():
        # the noise of a year is drawn for everybody, so that one carrier never moves another
        weights = [weight * dice.factor("0.045") for weight in base[code]]
        for item, amount in zip(institutions, apportion(total, weights, QUANTA[code]), strict=True):
            if code in item.carriers:
                item.annual[year][code] = amount
    for item in institutions:
        for whole, vehicle, other in (("150", "1501", "1502"), ("160", "1601", "1602")):
            values = item.annual[year]
            if vehicle in values or other in values:
                # who reports a fuel reports both parts: a zero here is a reported zero
                values.setdefault(vehicle, Decimal("0.00"))
                values.setdefault(other, Decimal("0.00"))
                values[whole] = values[vehicle] + values[other]


def _costs(institutions: list[Institution], year: int) -> None:
    dice = Dice(f"prices {year}")
    cost_of = {
        "110": "111",
        "120": "121",
        "140": "141",
        "104": "1041",
        "130": "131",
        "170": "171",
        "180": "181",
        "1501": "1511",
        "1502": "1512",
        "1601": "1611",
        "1602": "1612",
    }
    for item in institutions:
        values = item.annual[year]
        for code, cost in cost_of.items():
            factor = dice.factor("0.03")
            if code in values:
                price = Decimal(PRICES[year][code[:3] if code[0:2] in ("15", "16") else code]) * factor
                values[cost] = (values[code] * price).quantize(CENT)
        for whole in ("15", "16"):
            if f"{whole}0" in values:
                values[f"{whole}1"] = values[f"{whole}11"] + values[f"{whole}12"]


def _stocks(institutions: list[Institution], year: int) -> None:
    """Items that no figure uses yet but that a real return carries: land, posts, vehicles, renewables."""
    dice = Dice("stocks")
    for item in institutions:
        values = item.annual[year]
        values["009"] = (values["101"] * dice.between("0.6", "2.2")).quantize(ONE)
        posts = values["101"] / Decimal(60) * dice.between("0.7", "1.1")
        values["1021"] = max(ONE, posts.quantize(ONE))
        petrol = Decimal(1 + int(values.get("1501", Decimal(0)) / 900)) if values.get("1501") else Decimal(0)
        diesel = Decimal(1 + int(values.get("1601", Decimal(0)) / 1500)) if values.get("1601") else Decimal(0)
        electric = Decimal(dice.below(3) if item.type_code == "01" else 0)
        values |= {"103": petrol + diesel + electric, "1031": petrol, "1032": diesel, "1033": electric}
        if dice.chance(12):
            values["105"] = Decimal(2 + dice.below(14))
        if dice.chance(9):
            values["190"] = Decimal(20 + dice.below(200))
        if dice.chance(6):
            values["191"] = Decimal(20 + dice.below(300))


def by_kind(institutions: list[Institution], *names: str) -> list[Institution]:
    assert all(name in KIND_BY_NAME for name in names)
    return [item for item in institutions if item.kind.name in names]
