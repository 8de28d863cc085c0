"""An annual return, or the months or quarters that stand for one.

Belongs here: splitting annual values into periods so that they add up exactly. Does not belong here: files.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from examples.district.generator.calibration import CENT, QUANTA
from examples.district.generator.dice import Dice, apportion
from examples.district.generator.institutions import Institution, Values

# parts whose sum is reported beside them
SUMS = {"150": ("1501", "1502"), "151": ("1511", "1512"), "160": ("1601", "1602"), "161": ("1611", "1612")}
_COSTS = {"111", "121", "1041", "131", "141", "1511", "1512", "1611", "1612", "171", "181"}
_SPLIT = [*QUANTA, *sorted(_COSTS)]

_FLAT = (100,) * 12
_PROFILES = {
    "110": (112, 96, 88, 80, 86, 104, 128, 130, 110, 84, 86, 106),
    "140": (150, 120, 108, 92, 84, 74, 62, 60, 80, 92, 110, 140),
    "170": (240, 210, 150, 60, 30, 20, 18, 18, 24, 50, 130, 220),
    "130": (220, 160, 140, 60, 20, 0, 0, 0, 10, 60, 160, 210),
}
_SCHOOL = (70, 45, 110, 112, 116, 112, 60, 40, 118, 112, 110, 104)


@dataclass
class Row:
    """One record of NY201. `period` is the platform's period_id; state 7 is approved."""

    institution: Institution
    period: str
    values: Values
    state: str = "7"
    release: int = 1


def annual(institution: Institution, year: int) -> Row:
    return Row(institution, f"{year}000", dict(institution.annual[year]))


def months(institution: Institution, year: int, dice: Dice) -> list[Row]:
    return _periods(institution, year, dice, [(f"{year}0{month:02d}", [month - 1]) for month in range(1, 13)])


def quarters(institution: Institution, year: int, dice: Dice) -> list[Row]:
    spans = [(f"{year}Q{quarter:02d}", list(range(3 * quarter - 3, 3 * quarter))) for quarter in range(1, 5)]
    return _periods(institution, year, dice, spans)


def _periods(
    institution: Institution, year: int, dice: Dice, spans: list[tuple[str, list[int]]]
) -> list[Row]:
    values = institution.annual[year]
    rows = [Row(institution, period, {}) for period, _ in spans]
    for code in _SPLIT:
        if code not in values:
            continue
        profile = _profile(institution, code)
        weights = [sum((profile[m] * dice.factor("0.05") for m in span), Decimal(0)) for _, span in spans]
        if code in _COSTS:
            weights = _like_amount(rows, code, weights)
        for row, part in zip(rows, apportion(values[code], weights, QUANTA.get(code, CENT)), strict=True):
            row.values[code] = part
    for code, value in values.items():
        if code in _SPLIT:
            continue
        for row in rows:
            row.values[code] = sum((row.values[p] for p in SUMS[code]), Decimal(0)) if code in SUMS else value
    # heads move during the year; the year's own number is that of the last period
    for row in rows[: len(rows) // 2]:
        fewer = (values["102"] * dice.between("0.96", "1")).quantize(Decimal(1))
        row.values["102"] = max(Decimal(1), fewer)
    return rows


def _profile(institution: Institution, code: str) -> tuple[int, ...]:
    if institution.type_code == "021" and code in ("110", "120", "140", "104"):
        school = _SCHOOL
        seasonal = _PROFILES.get(code, _FLAT)
        return tuple(a * b // 100 for a, b in zip(school, seasonal, strict=True))
    return _PROFILES.get(code, _FLAT)


_AMOUNT_OF = {
    "111": "110",
    "121": "120",
    "1041": "104",
    "131": "130",
    "141": "140",
    "171": "170",
    "181": "180",
    "1511": "1501",
    "1512": "1502",
    "1611": "1601",
    "1612": "1602",
}


def _like_amount(rows: list[Row], code: str, weights: list[Decimal]) -> list[Decimal]:
    """A cost follows its amount, so that every month implies nearly the same unit price."""
    amounts = [row.values[_AMOUNT_OF[code]] for row in rows]
    return amounts if any(amounts) else weights
