"""A row of the factor registry, as the seed and a home's own `factors.csv` write it.

Belongs here: the columns, the words they may hold, and what is wrong with one row by itself. How rows stand to each other, to
units and to the profile is `ingestion.registry`. Pure: no file is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from ingestion.contracts.messages import Message

COLUMNS = {
    "factor_id": "VARCHAR", "factor_kind": "VARCHAR", "factor_set": "VARCHAR", "series": "VARCHAR",
    "parameter": "VARCHAR", "carrier": "VARCHAR", "gas": "VARCHAR", "region_code": "VARCHAR", "scope": "VARCHAR",
    "name_zh": "VARCHAR", "name_en": "VARCHAR", "valid_year": "INTEGER", "valid_from": "DATE", "valid_until": "DATE",
    "value": "DECIMAL(18,8)", "low": "DECIMAL(18,8)", "high": "DECIMAL(18,8)", "unit": "VARCHAR", "issuer": "VARCHAR",
    "document": "VARCHAR", "document_no": "VARCHAR", "known_since": "DATE", "is_date_approximate": "BOOLEAN",
    "status": "VARCHAR", "evidence": "VARCHAR", "note": "VARCHAR",
}  # fmt: skip
"""Column → type in the warehouse, in the order of the seed."""
REQUIRED = (
    "factor_id", "factor_kind", "factor_set", "parameter", "name_zh", "value", "unit", "issuer", "document",
    "known_since", "status",
)  # fmt: skip
PARAMETERS = {
    "electricity": ("per_unit",),
    "heat": ("per_unit",),
    "fuel": ("per_unit", "lhv", "carbon_content", "oxidation", "per_energy", "density"),
    "standard_coal": ("per_unit", "lhv"),
    "gwp": ("gwp100",),
    "blend": ("mass_share",),
    "constant": ("ratio",),
}
"""Kind of row → what it may be."""
STATUSES = ("confirmed", "unconfirmed", "definition", "convention")
_OF_NO_GAS = ("lhv", "density")
_MOST_DIGITS = 8
_LARGEST = Decimal(10) ** 10


@dataclass(frozen=True)
class Problem:
    """What is wrong with one row, for the person who wrote it."""

    place: str
    found: str
    expected: Message

    @property
    def text(self) -> Message:
        return Message(
            f"{self.place}: 发现 {self.found or '空'}, 应为 {self.expected.zh}",
            f"{self.place}: found {self.found or 'nothing'}, expected {self.expected.en}",
        )


@dataclass(frozen=True)
class FactorRow:
    """One row whose own cells are right. `place` is its file and line, for messages."""

    place: str
    cells: Mapping[str, str]
    value: Decimal
    valid_year: int | None
    valid_from: date | None
    valid_until: date | None
    known_since: date

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    @property
    def starts_on(self) -> date:
        return date(self.valid_year, 1, 1) if self.valid_year else self.valid_from or date.min

    @property
    def ends_on(self) -> date:
        return date(self.valid_year, 12, 31) if self.valid_year else self.valid_until or date.max

    @property
    def document(self) -> str:
        """The document that the value stands in; the number of a record in it, after a comma, is left off."""
        return self.cells["document_no"].split(",")[0] or self.cells["document"]

    def as_row(self) -> tuple[str | None, ...]:
        """The cells in the order of `COLUMNS`, for a database that types them."""
        return tuple(self.cells[column] or None for column in COLUMNS)


def read_row(place: str, written: Mapping[str, str]) -> tuple[FactorRow | None, list[Problem]]:
    """The row, or everything that is wrong with it."""
    cells = {column: (written.get(column) or "").strip() for column in COLUMNS}
    problems = [
        Problem(f"{place} {column}", "", Message("必填", "a value"))
        for column in REQUIRED
        if not cells[column]
    ]
    kind, parameter = cells["factor_kind"], cells["parameter"]
    _say_what_goes_without_saying(cells)
    if kind and kind not in PARAMETERS:
        problems.append(_one_of(f"{place} factor_kind", kind, tuple(PARAMETERS)))
    elif kind and parameter and parameter not in PARAMETERS[kind]:
        problems.append(_one_of(f"{place} parameter", parameter, PARAMETERS[kind]))
    if cells["status"] and cells["status"] not in STATUSES:
        problems.append(_one_of(f"{place} status", cells["status"], STATUSES))
    about = {"gwp": "gas", "blend": "gas", "electricity": "region_code"}.get(kind, "carrier")
    if kind in PARAMETERS and not cells[about]:
        problems.append(Problem(f"{place} {about}", "", Message("必填", "a value")))
    approximate = cells["is_date_approximate"] = cells["is_date_approximate"].lower() or "false"
    if approximate not in ("true", "false"):
        problems.append(_one_of(f"{place} is_date_approximate", approximate, ("true", "false")))
    numbers = {name: _number(place, name, cells[name], problems) for name in ("value", "low", "high")}
    dates = {
        name: _day(place, name, cells[name], problems)
        for name in ("valid_from", "valid_until", "known_since")
    }
    year = _year(place, cells["valid_year"], problems)
    _check_period(place, cells, dates, problems)
    if problems or numbers["value"] is None or dates["known_since"] is None:
        return None, problems
    row = FactorRow(
        place, cells, numbers["value"], year, dates["valid_from"], dates["valid_until"], dates["known_since"]
    )
    return row, []


def _say_what_goes_without_saying(cells: dict[str, str]) -> None:
    """Two rows that mean the same thing must look the same: an electricity factor is of electricity and of CO2."""
    kind = cells["factor_kind"]
    if kind in ("electricity", "heat"):
        cells["carrier"] = cells["carrier"] or kind
    if kind in ("electricity", "heat", "fuel") and cells["parameter"] not in _OF_NO_GAS:
        cells["gas"] = cells["gas"] or "CO2"
    elif cells["parameter"] in _OF_NO_GAS:
        cells["gas"] = ""


def _one_of(place: str, found: str, words: tuple[str, ...]) -> Problem:
    listed = ", ".join(words)
    return Problem(place, found, Message(f"{listed} 之一", f"one of {listed}"))


def _number(place: str, name: str, text: str, problems: list[Problem]) -> Decimal | None:
    if not text:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    exponent = found.as_tuple().exponent
    if not found.is_finite() or found < 0 or found >= _LARGEST or not isinstance(exponent, int):
        problems.append(
            Problem(f"{place} {name}", text, Message("不小于零的数字", "a number that is not below zero"))
        )
        return None
    if exponent < -_MOST_DIGITS:
        expected = Message(f"至多 {_MOST_DIGITS} 位小数", f"at most {_MOST_DIGITS} decimals")
        problems.append(Problem(f"{place} {name}", text, expected))
        return None
    return found


def _day(place: str, name: str, text: str, problems: list[Problem]) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        expected = Message("日期, 如 2025-12-31", "a date such as 2025-12-31")
        problems.append(Problem(f"{place} {name}", text, expected))
        return None


def _year(place: str, text: str, problems: list[Problem]) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) == 4 and text != "0000"):
        expected = Message("四位年份, 如 2024", "a year of four digits such as 2024")
        problems.append(Problem(f"{place} valid_year", text, expected))
        return None
    return int(text)


def _check_period(
    place: str, cells: Mapping[str, str], dates: Mapping[str, date | None], problems: list[Problem]
) -> None:
    has_year, has_span = bool(cells["valid_year"]), bool(cells["valid_from"])
    if has_year == has_span:
        found = f"{cells['valid_year']} {cells['valid_from']}".strip()
        expected = Message("valid_year 与 valid_from 二者填一", "valid_year or valid_from, one of the two")
        problems.append(Problem(f"{place} valid_year, valid_from", found, expected))
    start, end = dates["valid_from"], dates["valid_until"]
    if cells["valid_until"] and (has_year or (start and end and end < start)):
        expected = Message(
            "不早于 valid_from 的日期; 用 valid_year 时留空",
            "a date not before valid_from; empty beside valid_year",
        )
        problems.append(Problem(f"{place} valid_until", cells["valid_until"], expected))
