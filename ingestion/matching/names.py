"""A name of an institution as people write it, taken apart: place, what is its own, number, kind, who pays.

Belongs here: the rules of `name_rules.csv` and `institution_kinds.csv`, numerals, brackets, places at the head of a name.
Does not belong here: what agreement is worth (`model.yml`), addresses (`addresses`).
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
_NUMERALS = re.compile("[〇零○一二三四五六七八九十百两]+")
_DIGITS = {mark: value for value, marks in enumerate(("〇零○", "一", "二两", "三", "四", "五", "六", "七", "八", "九")) for mark in marks}  # fmt: skip
_UNITS = {"十": 10, "百": 100}
_DROPPED = re.compile(r"[\s·•．.,，、。'\"“”‘’\-—_:;：；*#]+")
_PAID_FOR = re.compile(r"^(?P<payer>.{2,}?)(?:代付|代缴|代)(?P<unit>.{2,})$")
_BRACKETS = re.compile(r"\(((?:[^()]|\([^()]*\))*)\)")
_LEVELS = "自治州|自治县|自治旗|自治区|特别行政区|街道|地区|省|市|区|县|旗|镇|乡|盟"
_LEVEL = re.compile(f"(?:{_LEVELS})$")
_STREET_FOLLOWS = (*"路街道巷弄里", "大道", "公路")


@dataclass(frozen=True)
class Region:
    """A place that names begin with."""

    code: str
    name: str


@dataclass(frozen=True)
class Name:
    """What a name says. `core` is all of it behind the place; `proper` what neither number nor kind says."""

    core: str | None = None
    proper: str | None = None
    number: str | None = None
    kind: str | None = None
    place: str | None = None
    payer: str | None = None


def folded(text: str) -> str:
    """One spelling of full-width and half-width marks, in upper case."""
    return unicodedata.normalize("NFKC", text).upper()


def short_code(code: str | None) -> str | None:
    """A division without the zeros that stand for «all of it»: 310000 → 31, 310118000 → 310118."""
    if not code:
        return None
    short = code[:6] if code[6:].strip("0") == "" else code
    while len(short) in (4, 6) and short.endswith("00"):
        short = short[:-2]
    return short


def arabic(text: str) -> str:
    """Chinese numerals as digits: 二〇 → 20, 十二 → 12, 第三 → 第3."""
    return _NUMERALS.sub(lambda found: _number(found.group()), text)


def _number(marks: str) -> str:
    if not set(marks) & set(_UNITS):
        return "".join(str(_DIGITS[mark]) for mark in marks)
    total, digit = 0, 0
    for mark in marks:
        if mark in _UNITS:
            total, digit = total + (digit or 1) * _UNITS[mark], 0
        else:
            digit = _DIGITS[mark]
    return str(total + digit)


@cache
def _rules() -> list[tuple[re.Pattern[str], str]]:
    with (HERE / "name_rules.csv").open(encoding="utf-8", newline="") as handle:
        return [(re.compile(row["pattern"]), row["replacement"]) for row in csv.DictReader(handle)]


@cache
def _kinds() -> tuple[dict[str, str], re.Pattern[str]]:
    with (HERE / "institution_kinds.csv").open(encoding="utf-8", newline="") as handle:
        kinds = {row["written_as"]: row["kind"] for row in csv.DictReader(handle)}
    longest_first = "|".join(sorted(map(re.escape, kinds), key=lambda text: (-len(text), text)))
    return kinds, re.compile(f"(?:{longest_first})$")


def _ruled(text: str) -> str:
    """Abbreviations written out."""
    for pattern, replacement in _rules():
        text = pattern.sub(replacement, text)
    return text


class NameReader:
    """Reads names with the places of one authority, and the words that its register begins every name with.

    Towns of different districts share names. Which one is meant is said by the place before it, or by the region
    that the row gives; where neither says it the place is not known.
    """

    def __init__(self, regions: Iterable[Region], prefix: str | None = None) -> None:
        self._codes: dict[str, set[str]] = {}
        self._short_codes: dict[str, set[str]] = {}
        for region in regions:
            name, code = arabic(folded(region.name)), short_code(region.code)
            if code is None:
                continue
            self._codes.setdefault(name, set()).add(code)
            short = _LEVEL.sub("", name)
            if 2 <= len(short) < len(name):
                self._short_codes.setdefault(short, set()).add(code)
        known = {len(name) for name in (*self._codes, *self._short_codes)}
        self._lengths = sorted(known, reverse=True)
        self._prefix = prefix

    def read(self, text: str | None, region: str | None = None) -> Name:
        """Take a name apart. `region` is what the row says elsewhere of where it is."""
        if not text or not text.strip():
            return Name()
        whole, payer = self._paid_for(_ruled(arabic(folded(text))))
        core, place = self.without_place(whole, region)
        if payer and place is None:
            place = self.without_place(payer, region)[1]
        kinds, at_end = _kinds()
        found = at_end.search(core)
        kind = kinds[found.group()] if found else None
        rest = core[: found.start()] if found else core
        core = rest + (kind or "")
        return Name(
            core=core or None,
            proper=re.sub(r"\d+", "", rest) or None,
            number="-".join(re.findall(r"\d+", rest)) or None,
            kind=kind,
            place=place,
            payer=payer,
        )

    def without_place(self, text: str, region: str | None = None) -> tuple[str, str | None]:
        """The text behind the places at its head, and the smallest of them where it is known which one."""
        around, said = short_code(region), set[str]()
        while True:
            head, codes = self._head(text, said, around)
            if not head:
                break
            text, said = text[len(head) :], codes
        if self._prefix and text.startswith(self._prefix) and len(text) > len(self._prefix) + 1:
            text = text[len(self._prefix) :]
        return text, next(iter(said)) if len(said) == 1 else None

    def _head(self, text: str, said: set[str], around: str | None) -> tuple[str, set[str]]:
        """The longest place that the text begins with and that lies in what was said before, with its codes."""
        for length in self._lengths:
            head = text[:length]
            if len(text) < length + 2:
                continue
            full = _inside(self._codes.get(head, set()), said)
            if full:
                return head, {code for code in full if _is_near(code, around)} or full
            short = _inside(self._short_codes.get(head, set()), said)
            near = {code for code in short if _is_near(code, around)}
            if near and not text[length:].startswith(_STREET_FOLLOWS):
                return head, near
        return "", said

    def _paid_for(self, text: str) -> tuple[str, str | None]:
        """The unit that is meant, without brackets, and who pays for it where the name says so."""
        kinds_at_end = _kinds()[1]
        outer = _ruled(_DROPPED.sub("", _BRACKETS.sub("", text)))
        for inner in _BRACKETS.findall(text):
            unit = _ruled(_DROPPED.sub("", inner).replace("(", "").replace(")", ""))
            if kinds_at_end.search(outer) and kinds_at_end.search(unit) and unit not in outer:
                return unit, outer
        plain = _DROPPED.sub("", text).replace("(", "").replace(")", "")
        found = _PAID_FOR.match(plain)
        if found:
            unit = _ruled(found["unit"])
            if kinds_at_end.search(unit) and kinds_at_end.search(found["payer"]):
                return unit, found["payer"]
        return _ruled(plain), None


def _inside(codes: set[str], said: set[str]) -> set[str]:
    return {code for code in codes if not said or any(code.startswith(outer) for outer in said)}


def _is_near(code: str, around: str | None) -> bool:
    """Whether one of two places lies in the other."""
    return around is None or code.startswith(around) or around.startswith(code)


def common_prefix(names: Sequence[str], share: float) -> str | None:
    """The longest head, ending as a place does, that at least this share of all names has."""
    heads = Counter(
        name[: found.end()]
        for name in names
        for found in re.finditer(_LEVELS, name[:10])
        if found.end() < len(name) - 1
    )
    common = [head for head, n in heads.items() if n >= share * len(names) and n > 1]
    return max(common, key=lambda head: (len(head), head), default=None)


def pieces(text: str | None) -> list[str] | None:
    """The two-letter pieces of a text, each once, in order of the alphabet."""
    if not text:
        return None
    return sorted({text[at : at + 2] for at in range(max(1, len(text) - 1))})


def letters(text: str | None) -> str | None:
    """The letters of a text without their order: what swapped letters leave as it was."""
    return "".join(sorted(text.replace(" ", ""))) if text else None
