"""The headline figures of a release beside the ones that the region's own report prints.

Here belongs reading them, rounding for people (half up, from the exact value) and comparing. Computing them
does not.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, Literal

from exports.messages import ExportError
from exports.query import open_sandbox

Basis = Literal["primary", "equivalent"]
_PLACES = 2


@dataclass(frozen=True)
class HeadlineRow:
    """One figure for people. `is_equal` is None where nothing is printed or the units cannot be compared."""

    indicator: str
    name_zh: str
    unit: str
    year: int
    ours: str | None
    printed: str | None
    source: str | None
    is_equal: bool | None


@dataclass(frozen=True)
class _Figure:
    column: str
    name_zh: str
    unit: str


_NAMES_OF_BASES: dict[Basis, str] = {"primary": "等价", "equivalent": "当量"}
_ENERGY = tuple(
    figure
    for basis, name in _NAMES_OF_BASES.items()
    for figure in (
        _Figure(f"energy_per_area_{basis}_kgce_m2", f"单位建筑面积能耗（{name}）", "kgce/m2"),
        _Figure(f"energy_per_capita_{basis}_kgce_person", f"人均综合能耗（{name}）", "kgce/person"),
        _Figure(f"energy_per_area_{basis}_change_pct", f"单位建筑面积能耗同比（{name}）", "%"),
        _Figure(f"energy_per_capita_{basis}_change_pct", f"人均综合能耗同比（{name}）", "%"),
    )
)
_FIGURES = (
    *_ENERGY,
    _Figure("water_per_capita_m3_person", "人均用水量", "m3/person"),
    _Figure("water_per_capita_change_pct", "人均用水量同比", "%"),
)
_SHARE = "_share"
"""An indicator `<carrier>_share` is the carrier's part of the energy total, in percent."""
_UNITS = {
    "kgce/㎡": "kgce/m2", "kgce/m²": "kgce/m2", "千克标准煤/平方米": "kgce/m2", "kgce/人": "kgce/person",
    "千克标准煤/人": "kgce/person", "m³/person": "m3/person", "m3/人": "m3/person",
    "立方米/人": "m3/person", "pct": "%",
}  # fmt: skip


def headline_figures(
    database: Path,
    region_code: str,
    printed: Sequence[Mapping[str, Any]] = (),
    basis: Basis = "primary",
    population: str = "reported",
) -> list[HeadlineRow]:
    """Intensities and changes of the root region in its latest year, the profile's own basis first.

    `printed`: mappings with indicator, year, value, unit, source. An indicator is a column of region_year or
    a name of published reports (`energy_per_area`, `energy_per_capita_change`, …), which stands for `basis`;
    `<carrier>_share` is the carrier's share of the energy total in percent and shown where it is printed.
    """
    year, values = _latest(database, region_code, population)
    by_column = {_column_of(str(row["indicator"]), basis): row for row in printed if int(row["year"]) == year}
    figures = sorted(_FIGURES, key=lambda figure: _other_basis(figure.column, basis))
    has_shares = any(name.endswith(_SHARE) for name in by_column)
    for name, name_zh, share in _shares(database, region_code, year, basis) if has_shares else ():
        if name + _SHARE in by_column:
            figures.append(_Figure(name + _SHARE, f"{name_zh}占能耗比重（{_NAMES_OF_BASES[basis]}）", "%"))
            values[name + _SHARE] = share
    return [_row(figure, year, values.get(figure.column), by_column.get(figure.column)) for figure in figures]


def rounded(value: float | Decimal | None, places: int = _PLACES) -> str | None:
    """Half up, away from zero, from the value's own digits: 2.675 → 2.68, though its binary form is below."""
    if value is None:
        return None
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not exact.is_finite():
        return None
    text = format(exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP), "f")
    return text.removeprefix("-") if Decimal(text) == 0 else text


def _row(figure: _Figure, year: int, value: Any, printed: Mapping[str, Any] | None) -> HeadlineRow:
    text, is_equal = None, None
    if printed is not None:
        theirs = Decimal(str(printed["value"]))
        text = str(printed["value"])
        if _same_unit(str(printed.get("unit") or figure.unit), figure.unit) and value is not None:
            # a printed value is met when ours, rounded once to its decimals, gives it
            exponent = theirs.as_tuple().exponent
            places = -exponent if isinstance(exponent, int) and exponent < 0 else 0
            ours = rounded(value, places)
            is_equal = ours is not None and Decimal(ours) == theirs
    source = None if printed is None or printed.get("source") is None else str(printed["source"])
    return HeadlineRow(
        figure.column, figure.name_zh, figure.unit, year, rounded(value), text, source, is_equal
    )


def _latest(database: Path, region_code: str, population: str) -> tuple[int, dict[str, Any]]:
    with open_sandbox(database) as con:
        cursor = con.execute(
            "select * from published.region_year where region_code = ? and population = ? "
            "order by year desc limit 1",
            [region_code, population],
        )
        names = [str(column[0]) for column in cursor.description or []]
        rows = cursor.fetchall()
    if not rows:
        raise ExportError(
            f"发布物中没有区域 {region_code} 的年度数据（region_year）。",
            f"the release holds no year of region {region_code} (region_year).",
        )
    values = dict(zip(names, rows[0], strict=True))
    return int(values["year"]), values


def _shares(
    database: Path, region_code: str, year: int, basis: Basis
) -> list[tuple[str, str, Decimal | None]]:
    """(carrier, its name, percent of the energy total) from exact sums."""
    with open_sandbox(database) as con:
        rows = con.execute(
            f"select carrier, carrier_name_zh, energy_{basis}_kgce, sum(energy_{basis}_kgce) filter (where is_in_energy_total) over () "
            "from published.region_carrier_year where region_code = ? and year = ? order by carrier",
            [region_code, year],
        ).fetchall()
    return [
        (name, zh, 100 * part / whole if part is not None and whole else None)
        for name, zh, part, whole in rows
    ]


def _column_of(indicator: str, basis: Basis) -> str:
    columns = {
        "energy_per_area": f"energy_per_area_{basis}_kgce_m2",
        "energy_per_capita": f"energy_per_capita_{basis}_kgce_person",
        "water_per_capita": "water_per_capita_m3_person",
        "energy_per_area_change": f"energy_per_area_{basis}_change_pct",
        "energy_per_capita_change": f"energy_per_capita_{basis}_change_pct",
        "water_per_capita_change": "water_per_capita_change_pct",
    }
    return columns.get(indicator, indicator)


def _other_basis(column: str, basis: Basis) -> bool:
    return any(f"_{other}_" in column for other in ("primary", "equivalent") if other != basis)


def _same_unit(one: str, other: str) -> bool:
    def plain(unit: str) -> str:
        text = "".join(unit.split())
        return _UNITS.get(
            text, _UNITS.get(unicodedata.normalize("NFKC", text), unicodedata.normalize("NFKC", text))
        )

    return plain(one) == plain(other)
