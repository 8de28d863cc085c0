"""Codes and names of invented institutions.

Belongs here: 统一社会信用代码 with its two check characters, place names that are made up. The body of every
code begins with YY, a range in which no code is known to have been issued.
"""

from __future__ import annotations

_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_BODY_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_BODY_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

DIVISION = "310118"

TOWNS = {
    "310118001": "夏阳街道",
    "310118002": "盈浦街道",
    "310118003": "香花桥街道",
    "310118102": "朱家角镇",
    "310118103": "练塘镇",
    "310118104": "金泽镇",
    "310118105": "赵巷镇",
    "310118106": "徐泾镇",
    "310118107": "华新镇",
    "310118109": "重固镇",
    "310118110": "白鹤镇",
}
TOWN_WEIGHTS = (16, 15, 10, 11, 7, 7, 8, 10, 8, 4, 4)

_FIRST = "碧芦云枫兰荷松梅桂柳菱苇"
_SECOND = "塘湾桥浜渡汀洲圩"
PLACES = [first + second for second in _SECOND for first in _FIRST]


def organisation_body(serial: int) -> str:
    """Nine characters: a body of eight and its check character (GB 11714)."""
    body = f"YY{serial:06d}"
    rest = 11 - sum(_BODY_ALPHABET.index(c) * w for c, w in zip(body, _BODY_WEIGHTS, strict=True)) % 11
    return body + {10: "X", 11: "0"}.get(rest, str(rest))


def credit_check(first_seventeen: str) -> str:
    """The eighteenth character (GB 32100)."""
    total = sum(_CREDIT_ALPHABET.index(c) * w for c, w in zip(first_seventeen, _CREDIT_WEIGHTS, strict=True))
    return _CREDIT_ALPHABET[(31 - total % 31) % 31]


def credit_code(prefix: str, serial: int, division: str = DIVISION) -> str:
    """18 characters. `prefix`: 11 organ, 12 public institution, 13 mass organisation."""
    first = f"{prefix}{division}{organisation_body(serial)}"
    return first + credit_check(first)
