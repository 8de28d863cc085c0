"""Summaries by class of the parts of 2021: data rooms (NY302) and heating (NY303), as the district's office sends them.

Belongs here: sums over what `parts` drew, and their files. They stand in the clean world alone: planted parts would make them differ.
"""

from __future__ import annotations

from decimal import Decimal

from examples.district.generator.files import Grid, Landing, plain
from examples.district.generator.identity import DIVISION
from examples.district.generator.institutions import Values
from examples.district.generator.parts import HEATING_ITEMS, KEYS, ROOM_ITEMS, YEAR, Parts, columns_of

ROOMS = "direct_report/NY302_2021_f.csv"
HEATING = "direct_report/NY303_2021_long.csv"
_COUNT = {"200": ("机房数量", "间")}
# capacities in a unit that nobody has printed, and days, add up to nothing
_NO_SUM = ("230", "302")


def of_rooms(parts: Parts) -> dict[str, Values]:
    """Class column → sums of its rooms, for the columns that have any."""
    found: dict[str, Values] = {}
    for (owner, _), values in parts.rooms.items():
        for column in columns_of(parts.of[owner]):
            into = found.setdefault(column, {"200": Decimal(0)})
            into["200"] += 1
            _add(into, values)
    return dict(sorted(found.items()))


def of_heating(parts: Parts) -> dict[str, Values]:
    found: dict[str, Values] = {}
    for owner, values in parts.heating.items():
        for column in columns_of(parts.of[owner]):
            _add(found.setdefault(column, {}), values)
    return {column: dict(sorted(values.items())) for column, values in sorted(found.items())}


def _add(into: Values, values: Values) -> None:
    for code, value in values.items():
        if code not in _NO_SUM:
            into[code] = into.get(code, Decimal(0)) + value


def files(parts: Parts) -> Landing:
    return {ROOMS: _room_table(parts), HEATING: _heating_lines(parts)}


def _key(parts: Parts, report_code: str, column: str) -> list[str]:
    authority = next(item for item in parts.of.values() if item.kind.name == "bureau")
    return [report_code, authority.institution_id, authority.name, DIVISION, f"{YEAR}000", column, "7", "1"]


def _room_table(parts: Parts) -> Grid:
    items = {code: item for code, item in (_COUNT | ROOM_ITEMS).items() if code not in _NO_SUM}
    lines = [
        KEYS + [f"f{code}" for code in items],
        ["单位"] + [""] * (len(KEYS) - 1) + [unit for _, unit in items.values()],
    ]
    for column, values in of_rooms(parts).items():
        written = [values[code] / 10000 if unit == "万kWh" else values[code] for code, (_, unit) in items.items()]
        lines.append(_key(parts, "NY302_2020", column) + [plain(value) for value in written])
    return Grid("gb18030", lines)


def _heating_lines(parts: Parts) -> Grid:
    lines = [[*KEYS, "指标代码", "指标名称", "数值", "计量单位"]]
    for column, values in of_heating(parts).items():
        key = _key(parts, "NY303_2020", column)
        lines += [
            [*key, code, HEATING_ITEMS[code][0], plain(value), HEATING_ITEMS[code][1]] for code, value in values.items()
        ]
    return Grid("utf-8-sig", lines)


def truth(parts: Parts) -> Landing:
    """Every value of both, which the sums of the parts must give."""
    lines = [["form_code", "class_column_code", "item_code", "value"]]
    for form, found in (("NY302", of_rooms(parts)), ("NY303", of_heating(parts))):
        lines += [
            [form, column, code, plain(value)] for column, values in found.items() for code, value in values.items()
        ]
    return {"truth/summary_of_parts.csv": Grid("utf-8", lines)}
