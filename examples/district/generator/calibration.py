"""The one scaling of the district: totals by carrier and year from which the printed figures follow.

Belongs here: printed figures, coefficients, totals by carrier. The district's report prints no absolute
amounts; area, persons, shares of carriers and the standard-coal basis below are a consistent choice of ours.
"""

from __future__ import annotations

from decimal import Decimal, localcontext

YEARS = (2020, 2021)

FLOOR_AREA_M2 = {2020: Decimal(2103600), 2021: Decimal(2103600)}
PERSONS = {2020: Decimal(187840), 2021: Decimal(200000)}

# as printed for 2021 (青府发〔2022〕55号), with the change against 2020 in percent
PER_AREA = (Decimal("11.56"), Decimal("-7.4"))
PER_CAPITA = (Decimal("135.10"), Decimal("-13.03"))
WATER_PER_CAPITA = (Decimal("14.49"), Decimal("-2.84"))

# kgce per unit of the amount; litres through density (petrol 0.73, diesel 0.86 kg/L)
COEFFICIENTS = {
    "110": Decimal("0.3055"),
    "140": Decimal("1.33"),
    "1501": Decimal("1.4714") * Decimal("0.73"),
    "1502": Decimal("1.4714") * Decimal("0.73"),
    "1601": Decimal("1.4571") * Decimal("0.86"),
    "1602": Decimal("1.4571") * Decimal("0.86"),
    "104": Decimal("1.7143"),
    "130": Decimal("714.3"),
    "170": Decimal("34.12"),
    "180": Decimal("1000"),
}

# smallest step in which an amount is written, in its canonical unit
QUANTA = {
    "110": Decimal("0.01"),
    "120": Decimal("1"),
    "140": Decimal("0.1"),
    "104": Decimal("0.1"),
    "130": Decimal("0.01"),
    "1501": Decimal("0.01"),
    "1502": Decimal("0.01"),
    "1601": Decimal("0.01"),
    "1602": Decimal("0.01"),
    "170": Decimal("0.01"),
    "180": Decimal("0.0001"),
}
CENT = Decimal("0.01")

# shares of vehicle energy and of building energy; electricity is what remains of building energy
_VEHICLE_SHARES = {2020: {"1501": "0.785", "1601": "0.215"}, 2021: {"1501": "0.775", "1601": "0.225"}}
_BUILDING_SHARES = {
    2020: {
        "140": "0.2270",
        "104": "0.0240",
        "170": "0.0205",
        "1602": "0.0098",
        "1502": "0.0032",
        "130": "0.0005",
        "180": "0.0026",
    },
    2021: {
        "140": "0.2230",
        "104": "0.0205",
        "170": "0.0195",
        "1602": "0.0092",
        "1502": "0.0030",
        "130": "0.0004",
        "180": "0.0030",
    },
}

# yuan per canonical unit
PRICES = {
    2020: {
        "110": "0.815",
        "120": "5.05",
        "140": "3.62",
        "104": "6.35",
        "130": "860",
        "150": "6.05",
        "160": "5.70",
        "170": "108",
        "180": "1250",
    },
    2021: {
        "110": "0.826",
        "120": "5.10",
        "140": "3.71",
        "104": "7.10",
        "130": "1040",
        "150": "7.02",
        "160": "6.66",
        "170": "114",
        "180": "1300",
    },
}


def _base(value: Decimal, change_percent: Decimal, year: int) -> Decimal:
    """The value of a year: as printed for 2021, worked back by the printed change for 2020."""
    return value if year == 2021 else value / (1 + change_percent / 100)


def energy_totals_kgce(year: int) -> tuple[Decimal, Decimal]:
    """Total and building energy that the printed figures ask for."""
    with localcontext() as context:
        context.prec = 50
        total = _base(*PER_CAPITA, year) * PERSONS[year]
        building = _base(*PER_AREA, year) * FLOOR_AREA_M2[year]
        return total, building


def carrier_totals(year: int) -> dict[str, Decimal]:
    """Amount of every carrier (item code → canonical unit) and of water for the whole district."""
    with localcontext() as context:
        context.prec = 50
        total, building = energy_totals_kgce(year)
        wanted = {code: Decimal(share) * (total - building) for code, share in _VEHICLE_SHARES[year].items()}
        wanted |= {code: Decimal(share) * building for code, share in _BUILDING_SHARES[year].items()}
        amounts = {code: (kgce / COEFFICIENTS[code]).quantize(QUANTA[code]) for code, kgce in wanted.items()}
        rest = building - sum(amounts[code] * COEFFICIENTS[code] for code in _BUILDING_SHARES[year])
        amounts["110"] = (rest / COEFFICIENTS["110"]).quantize(QUANTA["110"])
        amounts["120"] = (_base(*WATER_PER_CAPITA, year) * PERSONS[year]).quantize(QUANTA["120"])
        return amounts
