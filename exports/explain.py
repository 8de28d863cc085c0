"""What a published figure is made of, read from the release alone: entries, factor rows, cells, rules.

Belongs here: following the declarations of `figure_origin` from a figure to its leaves. Every contribution is exact and
printed whole, so that the contributions of the leaves, as text, add up to the figure. Finding the figure belongs to
figures.py, rules and factor rows to grounds.py, printing to the command line.
"""

from __future__ import annotations

import decimal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exports.figures import PLACE, Origin, Origins, find_row, origin_of, read_origins, rows
from exports.grounds import FactorRow, Grounds, RuleFound
from exports.quoting import quoted_name, quoted_names

if TYPE_CHECKING:
    import duckdb

MAX_CONTRIBUTORS = 20
# which factor row stands behind which column of "worth of one unit"
_FACTORS_OF = {
    "equivalent_kgce_per_unit": ("equivalent_factor_id", "coal_conversion_id"),
    "primary_kgce_per_unit": ("primary_factor_id", "coal_conversion_id"),
    "emission_tco2_per_unit": ("emission_factor_id",),
    "market_tco2_per_unit": ("market_factor_id", "emission_factor_id"),
    "uncovered_kgce_per_unit": ("equivalent_factor_id", "primary_factor_id"),
}
_EXACT = decimal.Context(prec=80)


@dataclass(frozen=True)
class Place:
    """Where a number stands: file, sheet, cell, and the text that stands there."""

    file_id: str | None
    path: str
    sheet: str | None
    cell: str | None
    row_number: int | None
    column_number: int | None
    value_text: str | None
    unit_text: str | None


@dataclass(frozen=True)
class Part:
    """One thing that a figure is the sum of: ± amount × worth of one unit = contribution, as text."""

    table: str
    keys: Mapping[str, str]
    column: str
    amount: str
    unit: str | None
    times: str | None
    contribution: str
    factor_ids: tuple[str, ...] = ()
    place: Place | None = None
    n_others: int = 0
    parts: tuple[Part, ...] = ()

    def leaves(self) -> Iterator[Part]:
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.leaves()


@dataclass(frozen=True)
class Explanation:
    """A figure and what it is made of; `value` is None where the release has none."""

    release_id: str
    table: str
    column: str
    keys: Mapping[str, str]
    value: str | None
    kind: str
    parts: tuple[Part, ...] = ()
    sides: tuple[Explanation, ...] = ()
    times_number: int | None = None
    method: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str | None] = field(default_factory=dict)
    place: Place | None = None
    factors: tuple[FactorRow, ...] = ()
    rules: tuple[RuleFound, ...] = ()

    def leaves(self) -> Iterator[Part]:
        for part in self.parts:
            yield from part.leaves()


class Explainer:
    """Explains figures of one release over one open connection (`query.open_sandbox`)."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        self._origins: Origins = read_origins(con)
        self._grounds = Grounds(con)
        self._known: dict[str, frozenset[str]] = {}
        ((self._release_id,),) = con.execute("select release_id from published.release").fetchall()

    def explain(
        self, name: str, keys: Sequence[str], max_contributors: int | None = MAX_CONTRIBUTORS
    ) -> Explanation:
        """`name`: table.column; `keys`: the values of its key. Of a regional sum the largest contributors are named,
        the others are one part.
        """
        origin = origin_of(self._origins, name)
        found = self._explained(origin, find_row(self._con, origin, keys), max_contributors)
        parts = [*found.parts, *(part for side in found.sides for part in side.parts)]
        factor_ids = {name for part in parts for name in _all_factors(part)}
        return replace(
            found,
            factors=self._grounds.factors(factor_ids),
            rules=self._grounds.rules(_tables(origin, parts), found.keys, _places(parts)),
        )

    def _explained(self, origin: Origin, row: Mapping[str, Any], limit: int | None) -> Explanation:
        value = row[origin.column]
        found = Explanation(
            self._release_id,
            origin.table,
            origin.column,
            {key: str(row[key]) for key in origin.keys},
            _shown(value),
            origin.kind,
        )
        if value is None:
            return found
        match origin.kind:
            case "parts":
                return replace(found, parts=self._parts(origin, row, limit))
            case "ratio":
                sides = tuple(self._side(origin, row, name, limit) for name in _both_sides(origin))
                return replace(found, sides=sides, times_number=origin.times_number)
        method = {
            "name": origin.method_name or "",
            "zh": origin.method_zh or "",
            "en": origin.method_en or "",
        }
        inputs = {name: _shown(row.get(name)) for name in origin.inputs}
        return replace(found, method=method, inputs=inputs, place=_place(row))

    def _side(self, origin: Origin, row: Mapping[str, Any], name: str, limit: int | None) -> Explanation:
        """A side of a ratio: a figure of the same row, or the sum over the institutions that have both sides."""
        table, _, column = name.rpartition(".")
        if not table:
            return self._explained(self._origins[origin.table, column], row, limit)
        (other,) = (side.rpartition(".")[2] for side in _both_sides(origin) if side != name)
        summed = replace(
            origin,
            column=column,
            kind="parts",
            part_table=table,
            part_column=column,
            added=f"{quoted_name(other)} is not null",
        )
        parts = self._parts(summed, row, limit)
        keys = {key: str(row[key]) for key in origin.keys}
        total = _total(part.contribution for part in parts)
        return Explanation(self._release_id, origin.table, column, keys, total, "parts", parts)

    def _parts(self, origin: Origin, row: Mapping[str, Any], limit: int | None) -> tuple[Part, ...]:
        if origin.member_where:
            return self._contributors(origin, row, limit)
        found = self._rows_of_parts(origin, row)
        below = self._origins.get((str(origin.part_table), str(origin.part_column)))
        if below is None or below.kind != "parts" or not found:
            return tuple(_part(origin, item) for item in found)
        # what the entries are made of, all of them in one question
        shared = [key for key in below.keys if all(item[key] == found[0][key] for item in found)]
        apart = [key for key in below.keys if key not in shared]
        cells = self._rows_of_parts(replace(below, keys=tuple(shared)), found[0])
        parts = []
        for item in found:
            part = _part(origin, item)
            own = [cell for cell in cells if all(cell[key] == item[key] for key in apart)]
            leaves = tuple(_leaf(below, cell, part, item["sign_"]) for cell in own)
            parts.append(replace(part, parts=leaves))
        return tuple(parts)

    def _contributors(self, origin: Origin, row: Mapping[str, Any], limit: int | None) -> tuple[Part, ...]:
        """What lies in a region, the largest first; those beyond the limit are one part."""
        where, values = self._belonging(origin, row)
        columns = self._columns(str(origin.part_table))
        column = quoted_name(str(origin.part_column))
        names = quoted_names([name for name in _NAMES if name in columns])
        times = f", {quoted_name(origin.times)}" if origin.times else ""
        # exact: nineteen and eighteen digits give thirty-seven
        worth = f"{column}::decimal(19,4) * {quoted_name(origin.times)}" if origin.times else column
        unit = ", unit" if "unit" in columns else ""
        said = f"from published.{quoted_name(str(origin.part_table))} as parts where {where}"
        said += f" and ({origin.added})" if origin.added else ""
        first = rows(
            self._con,
            f"select {names}{unit}, {column}{times}, 1 as sign_ {said} order by abs({worth}) desc nulls last, {names}"
            + ("" if limit is None else f" limit {int(limit)}"),
            *values,
        )
        parts = tuple(_part(origin, item) for item in first)
        ((n_all, total),) = self._con.execute(
            f"select count(*), coalesce(sum({worth}), 0) {said}", values
        ).fetchall()
        if n_all == len(parts):
            return parts
        rest = _text(_EXACT.subtract(total, Decimal(_total(part.contribution for part in parts))))
        others = Part(
            str(origin.part_table),
            {},
            str(origin.part_column),
            rest,
            None,
            None,
            rest,
            n_others=n_all - len(parts),
        )
        return (*parts, others)

    def _rows_of_parts(self, origin: Origin, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        of = quoted_name(str(origin.part_table))
        signed = f"case when {origin.added or 'true'} then 1"
        signed += f" when {origin.deducted} then -1 end" if origin.deducted else " end"
        where, values = self._belonging(origin, row)
        columns = self._columns(str(origin.part_table))
        return rows(
            self._con,
            f"select *, {signed} as sign_ from published.{of} as parts where {where} and sign_ is not null "
            f"order by {quoted_names([name for name in _NAMES if name in columns])}",
            *values,
        )

    def _belonging(self, origin: Origin, row: Mapping[str, Any]) -> tuple[str, list[object]]:
        """Which rows of the part table belong to this row: those with its key, and with a value."""
        conditions = [f"{quoted_name(str(origin.part_column))} is not null"]
        values: list[object] = []
        columns = self._columns(str(origin.part_table))
        for key in origin.keys:
            if key == "region_code" and origin.member_where:
                conditions.append(
                    "exists (select 1 from published.region_member as members "
                    f"where members.region_code = ? and {origin.member_where})"
                )
            elif key == "population":
                if row[key] == "like_for_like":
                    conditions.append(_compared(str(origin.compared_where)))
                continue
            elif key in columns:
                conditions.append(f"{quoted_name(key)} = ?")
            else:
                continue
            values.append(row[key])
        return " and ".join(conditions), values

    def _columns(self, table: str) -> frozenset[str]:
        if table not in self._known:
            cursor = self._con.execute(f"select * from published.{quoted_name(table)} limit 0")
            self._known[table] = frozenset(str(column[0]) for column in cursor.description or [])
        return self._known[table]


def _compared(condition: str) -> str:
    return (
        "exists (select 1 from published.institution_year as earlier "
        "where earlier.institution_id_scheme = parts.institution_id_scheme "
        "and earlier.institution_id = parts.institution_id and earlier.year = parts.year - 1 "
        f"and {condition})"
    )


def _both_sides(origin: Origin) -> tuple[str, str]:
    return str(origin.numerator), str(origin.denominator)


def _part(origin: Origin, item: Mapping[str, Any]) -> Part:
    amount = item[str(origin.part_column)]
    times = item[origin.times] if origin.times else None
    worth = amount if origin.times is None else (_product(amount, times) if times is not None else Decimal(0))
    names = _FACTORS_OF.get(origin.times or "", ())
    return Part(
        table=str(origin.part_table),
        keys=_keys_of(item),
        column=str(origin.part_column),
        amount=str(_shown(amount)),
        # the unit of a row is that of its amount; other columns end in theirs
        unit=item.get("unit") if str(origin.part_column).endswith("_amount") else None,
        times=_shown(times),
        contribution=_text(_signed(worth, item["sign_"])),
        factor_ids=tuple(dict.fromkeys(str(item[name]) for name in names if item.get(name))),
        place=_place(item),
    )


def _leaf(below: Origin, cell: Mapping[str, Any], above: Part, sign: int) -> Part:
    """A cell of an entry: what it adds to the entry, times what one unit of the entry adds to the figure."""
    leaf = _part(below, cell)
    worth = Decimal(leaf.contribution)
    if above.times is not None:
        worth = _product(worth, Decimal(above.times))
    return replace(leaf, times=above.times, contribution=_text(_signed(worth, sign)))


_NAMES = (
    "institution_id_scheme", "institution_id", "institution_name", "building_code", "meter_id", "item_code", "carrier",
    "measure", "form_role", "form_code", "catalog_item_id", "part_number", "green_power_id", "category_code",
    "activity_category", "subject", "gas", "year", "month_number", "period_kind", "period_number", "correction_id",
)  # fmt: skip


def _keys_of(item: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(item[name]) for name in _NAMES if item.get(name) is not None}


def _place(item: Mapping[str, Any]) -> Place | None:
    if item.get("path") is None:
        return None
    place: dict[str, Any] = {name: item.get(name) for name in PLACE}
    return Place(**place)


def _product(one: Decimal, other: Decimal) -> Decimal:
    return _EXACT.multiply(one, other)


def _signed(value: Decimal, sign: int) -> Decimal:
    return value if sign > 0 else value.copy_negate()


def _shown(value: Any) -> str | None:
    """A value as text: decimals with all their digits, never as 0E-12."""
    return _text(value) if isinstance(value, Decimal) else None if value is None else str(value)


def _text(value: Decimal) -> str:
    return format(value, "f")


def _total(contributions: Iterator[str] | Sequence[str] | Any) -> str:
    total = Decimal(0)
    for text in contributions:
        total = _EXACT.add(total, Decimal(text))
    return _text(total)


def total_of_leaves(explanation: Explanation) -> str:
    """What the contributions of the leaves, as printed, add up to."""
    return _total(leaf.contribution for leaf in explanation.leaves())


def _all_factors(part: Part) -> Iterator[str]:
    yield from part.factor_ids
    for below in part.parts:
        yield from _all_factors(below)


def _tables(origin: Origin, parts: Sequence[Part]) -> list[str]:
    return sorted({origin.table, *(item.table for part in parts for item in (part, *part.parts))})


def _places(parts: Sequence[Part]) -> list[Place]:
    return [leaf.place for part in parts for leaf in part.leaves() if leaf.place]
