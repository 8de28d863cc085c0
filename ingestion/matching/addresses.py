"""An address as people write it: street and house number, in Chinese or in English order.

Belongs here: the words of `address_words.csv`, which part of an address is which. Does not belong here: weights.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache

from ingestion.matching.names import HERE, NameReader, arabic, folded, letters

_MARKS = re.compile(r"[^\w\s()-]+|_")
_HOUSE_FIRST = re.compile(r"^0*(\d+[A-Z]?)\s+(.+)$")
_HOUSE_LAST = re.compile(r"^(.*?\D)0*(\d+)(?=\D|$)")
_STREET_KIND = re.compile("(?:公路|大道|路|街|道|巷|弄|胡同|村)$")
_NUMBERED_STREET = re.compile(r"^(\d+)(?=路|街|弄|巷)")
_SWAPPED_FROM = 4
"""Shorter words are too few letters to be told by them."""


@dataclass(frozen=True)
class Address:
    """`stem` is the street without its last word: what a school may be called after."""

    street: str | None = None
    house: str | None = None
    stem: str | None = None
    place: str | None = None


@cache
def _words() -> tuple[dict[str, str], dict[str | None, str]]:
    with (HERE / "address_words.csv").open(encoding="utf-8", newline="") as handle:
        words = {row["written_as"]: row["word"] for row in csv.DictReader(handle)}
    return words, {letters(written): word for written, word in words.items() if len(written) >= _SWAPPED_FROM}


def read_address(text: str | None, names: NameReader, region: str | None = None) -> Address:
    """Take an address apart; what is no address gives nothing."""
    if not text or not text.strip():
        return Address()
    plain = _MARKS.sub(" ", arabic(folded(text))).strip()
    house_first = _HOUSE_FIRST.match(plain)
    if house_first:
        street = " ".join(_word(word) for word in house_first[2].split())
        return Address(street, house_first[1])
    plain, place = names.without_place(re.sub(r"[\s()-]+", "", plain), region)
    named = _NUMBERED_STREET.match(plain)
    shift = named.end() if named else 0
    found = _HOUSE_LAST.match(plain[shift:])
    street, house = (plain[:shift] + found[1], found[2]) if found else (plain, None)
    return Address(street or None, house, _STREET_KIND.sub("", street) or None, place)


def _word(word: str) -> str:
    words, by_letters = _words()
    if word in words or word in words.values():
        return words.get(word, word)
    return by_letters.get(letters(word), word) if len(word) >= _SWAPPED_FROM else word
