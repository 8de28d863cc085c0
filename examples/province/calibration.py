"""Totals of the province by item, from which the figures printed for 2020 follow (川机管函〔2021〕707号).

Belongs here: printed totals and shares, coefficients, totals by item. The basis 当量 is likely, not proven; the split of
the last 4.60 % into vehicle diesel and other energy follows from building energy, which is printed.
"""

from __future__ import annotations

from decimal import Decimal, localcontext

YEAR = 2020
N_INSTITUTIONS = 51_754
PERSONS = 17_153_000
FLOOR_AREA_M2 = 243_630_000
WATER_M3 = 483_900_000
ENERGY_TOTAL_KGCE = Decimal(1_617_200_000)

_SHARES = {
    "110": Decimal("0.6024"),
    "140": Decimal("0.2010"),
    "1501": Decimal("0.1506"),
    "1601": Decimal("0.0193"),
    "180": Decimal("0.0267"),
}
"""Of the energy total, 当量: electricity, gas, petrol and diesel of vehicles, other energy."""
_COEFFICIENTS = {
    "110": Decimal("0.1229"),
    "140": Decimal("1.33"),
    "1501": Decimal("1.4714") * Decimal("0.73"),
    "1601": Decimal("1.4571") * Decimal("0.86"),
    "180": Decimal(1000),
}
"""kgce per kWh, m3, L, L and tce."""
DECIMALS = {"101": 0, "102": 0, "110": 2, "120": 0, "140": 1, "1501": 2, "1601": 2, "180": 4}
"""Places in which an item is written: m2, persons, kWh, m3, m3, L, L, tce."""


def totals() -> dict[str, int]:
    """Item code → total of the province, in the smallest step in which the item is written."""
    units = {"101": FLOOR_AREA_M2, "102": PERSONS, "120": WATER_M3}
    with localcontext() as context:
        context.prec = 50
        for code, share in _SHARES.items():
            amount = share * ENERGY_TOTAL_KGCE / _COEFFICIENTS[code]
            units[code] = int(amount.scaleb(DECIMALS[code]).to_integral_value())
    return units
