"""Draws the institutions of the province: who they are, and what each used in the year.

Belongs here: register facts and whole amounts, as columns. Does not belong here: files. Whole random integers only, so
that every machine draws the same province.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import numpy.typing as npt
import polars as pl

from examples.district.generator.dice import apportion
from examples.district.generator.identity import PLACES, credit_code
from examples.province.calibration import DECIMALS, N_INSTITUTIONS, totals

Whole = npt.NDArray[np.int64]

PREFECTURES = {
    "510100": ("成都市", 180), "510300": ("自贡市", 30), "510400": ("攀枝花市", 16), "510500": ("泸州市", 48),
    "510600": ("德阳市", 40), "510700": ("绵阳市", 58), "510800": ("广元市", 34), "510900": ("遂宁市", 32),
    "511000": ("内江市", 36), "511100": ("乐山市", 40), "511300": ("南充市", 68), "511400": ("眉山市", 34),
    "511500": ("宜宾市", 52), "511600": ("广安市", 38), "511700": ("达州市", 62), "511800": ("雅安市", 20),
    "511900": ("巴中市", 36), "512000": ("资阳市", 28), "513200": ("阿坝藏族羌族自治州", 28),
    "513300": ("甘孜藏族自治州", 32), "513400": ("凉山彝族自治州", 62),
}  # fmt: skip
"""Real divisions; the weights by which institutions are spread over them are invented."""
_KINDS = (
    # type, prefix of the code, suffix, per mille of institutions, area m2, persons, electricity kWh/m2, percent with gas
    ("01", "11", "机关", 290, 1900, 50, 34, 40),
    ("021", "12", "学校", 330, 7600, 700, 22, 70),
    ("022", "12", "研究所", 12, 4200, 90, 46, 40),
    ("023", "12", "文化馆", 35, 2600, 60, 38, 20),
    ("024", "12", "卫生院", 130, 6400, 300, 62, 60),
    ("025", "12", "体育中心", 8, 7000, 60, 40, 30),
    ("026", "12", "服务中心", 165, 1700, 40, 30, 25),
    ("03", "13", "协会", 30, 700, 18, 28, 10),
)
_SEED = 510000


def draw() -> pl.DataFrame:
    """One row per institution: codes, names, and every item as a whole number of its smallest steps."""
    dice = np.random.Generator(np.random.PCG64(_SEED))
    kinds = dice.choice(np.repeat(np.arange(len(_KINDS)), [kind[3] for kind in _KINDS]), N_INSTITUTIONS)
    weights = [weight for _, weight in PREFECTURES.values()]
    places = dice.choice(np.repeat(np.arange(len(PREFECTURES)), weights), N_INSTITUTIONS)
    codes = list(PREFECTURES)
    divisions = [codes[place] for place in places]
    names = [
        f"示例省{PREFECTURES[division][0]}{PLACES[serial % len(PLACES)]}{serial:05d}{_KINDS[kind][2]}"
        for serial, (division, kind) in enumerate(zip(divisions, kinds, strict=True))
    ]
    return pl.DataFrame(
        {
            "institution_id": [
                credit_code(_KINDS[kind][1], 100_000 + serial, division)
                for serial, (division, kind) in enumerate(zip(divisions, kinds, strict=True))
            ],
            "name": names,
            "type_code": [_KINDS[kind][0] for kind in kinds],
            "division": divisions,
            **_amounts(dice, kinds),
        }
    )


def _amounts(dice: np.random.Generator, kinds: Whole) -> dict[str, Whole]:
    def of_kind(column: int) -> Whole:
        return np.array([kind[column] for kind in _KINDS], dtype=np.int64)[kinds]

    def around(base: Whole) -> Whole:
        """Between half and twice, more often small than large; whole numbers throughout."""
        size = base.size
        return base * (50 + dice.integers(0, 60, size) + dice.integers(0, 91, size)) // 100 + 1

    area = around(of_kind(4))
    persons = around(of_kind(5))
    has_gas = dice.integers(0, 100, kinds.size) < of_kind(7)
    has_car = dice.integers(0, 100, kinds.size) < np.where(of_kind(4) < 3000, 70, 55)
    has_truck = dice.integers(0, 100, kinds.size) < 12
    has_other = dice.integers(0, 100, kinds.size) < 4
    weights = {
        "101": area,
        "102": persons,
        "110": around(area * of_kind(6)),
        "120": around(persons * 28),
        "140": around(area) * has_gas,
        "1501": around(persons + 100) * has_car,
        "1601": around(persons + 100) * has_truck,
        "180": around(area) * has_other,
    }
    return {code: _split(total, weights[code]) for code, total in totals().items()}


def _split(total: int, weights: Whole) -> Whole:
    parts = apportion(Decimal(total), list(map(Decimal, weights.tolist())), Decimal(1))
    return np.array([int(part) for part in parts], dtype=np.int64)


def written(code: str) -> pl.Expr:
    """An item as a return prints it; nothing where it is not used."""
    places = DECIMALS[code]
    step = pl.lit(f"{10**-places:.{places}f}").cast(pl.Decimal(38, places))
    return pl.when(pl.col(code) > 0).then(pl.col(code).cast(pl.Decimal(38, places)) * step)
