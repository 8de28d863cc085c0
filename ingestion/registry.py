"""The factor registry of a night: the seed's rows and those of the home's own `factors.csv`, held against each other.

Belongs here: reading both, what no single row can say (ids, overlapping validity, units without a way, formulas of two sets), and
whether the profile names what is there. Choosing a row for a figure is SQL. What stops here stops before anything is built.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from itertools import combinations
from pathlib import Path

from ingestion.contracts.factors import COLUMNS, FactorRow, Problem, read_row
from ingestion.contracts.messages import Message, Refusal
from ingestion.contracts.profile import RegionProfile
from ingestion.reference import SEEDS

_SHOWN = 10
_KEY = ("factor_kind", "factor_set", "series", "parameter", "carrier", "gas", "region_code")
"""What two rows share that say the same thing, for the same or another time."""
_RESULTS = {
    ("electricity", "per_unit"): ("tCO2",),
    ("heat", "per_unit"): ("tCO2",),
    ("fuel", "per_unit"): ("tCO2", "kgCH4", "kgN2O"),
    ("fuel", "per_energy"): ("kgCO2", "kgCH4", "kgN2O"),
    ("fuel", "lhv"): ("GJ",),
    ("fuel", "carbon_content"): ("kgC",),
    ("fuel", "oxidation"): ("kgC",),
    ("fuel", "density"): ("kg",),
    ("standard_coal", "per_unit"): ("kgce",),
    ("standard_coal", "lhv"): ("GJ",),
    ("gwp", "gwp100"): ("kgCO2e",),
    ("blend", "mass_share"): ("kg",),
}
"""Result that the unit of a row must give."""
_FORMULAS = (
    frozenset({"per_unit"}),
    frozenset({"lhv", "carbon_content", "oxidation"}),
    frozenset({"lhv", "per_energy"}),
)
_OF_FORMULAS = frozenset().union(*_FORMULAS)
_OF_A_PART = ("green", "ets_green")
"""Electricity families for the volume that is proven green: never the factor of all that is bought."""
_BY_THE_PROFILE = "by the profile"
"""Set of the terms of an inventory whose rows the profile names elsewhere: power and heat."""
_OF_THE_REST = "exmk"
"""The family of what is left when green volumes are taken out: it may stand for all years of a profile, not for one among others."""


@dataclass(frozen=True)
class Units:
    """What the seeds say of units: unit of a factor → (amount, result); carrier → unit; known conversions."""

    meanings: dict[str, tuple[str, str]]
    canonical: dict[str, str]
    ways: frozenset[tuple[str, str, str]]

    def has_way(self, carrier: str, amount_unit: str) -> bool:
        """Whether the amounts of a carrier of the forms can be counted in this unit; of other fuels nobody asks."""
        unit = self.canonical.get(carrier, amount_unit)
        return unit == amount_unit or (carrier, unit, amount_unit) in self.ways


@dataclass(frozen=True)
class Registry:
    """Every row that a night may use. Equal declarations give equal registries."""

    shipped: tuple[FactorRow, ...]
    home: tuple[FactorRow, ...]
    methods: tuple[dict[str, str], ...]

    @cached_property
    def by_id(self) -> dict[str, FactorRow]:
        return {row["factor_id"]: row for row in (*self.shipped, *self.home)}

    def known_by(self, as_of: date) -> list[str]:
        """Ids of the rows that were public on a day."""
        return sorted(row["factor_id"] for row in self.by_id.values() if row.known_since <= as_of)

    def method(self, method_id: str) -> dict[str, str]:
        return next(method for method in self.methods if method["method_id"] == method_id)


def load_registry(home_file: Path) -> Registry:
    """The seed and the home's rows. Raises Refusal naming file, line, what was found and what is expected."""
    return _registry(home_file.name, _text(home_file) if home_file.is_file() else None)


@cache
def _registry(name: str, home_text: str | None) -> Registry:
    """Every step of a night asks for the same two texts, so they are read and held against each other once."""
    shipped, problems = read_rows("factors.csv (seed)", _seed("factors/factors.csv"))
    home, own_problems = ([], []) if home_text is None else read_rows(name, home_text)
    problems = problems + own_problems or list(problems_between(shipped, home, _units()))
    if problems:
        raise _refusal(name, [problem.text for problem in problems])
    methods = csv.DictReader(io.StringIO(_seed("factors/accounting_methods.csv")))
    return Registry(tuple(shipped), tuple(home), tuple(methods))


def read_rows(name: str, text: str) -> tuple[list[FactorRow], list[Problem]]:
    """Rows of one CSV text and what is wrong with its header or with single rows."""
    reader = csv.DictReader(io.StringIO(text, newline=""))
    unknown = [column or "" for column in reader.fieldnames or [] if column not in COLUMNS]
    if unknown or "factor_id" not in (reader.fieldnames or []):
        expected = Message(
            f"仅限这些列: {', '.join(COLUMNS)}", f"these columns and no others: {', '.join(COLUMNS)}"
        )
        return [], [Problem(f"{name} 1", ", ".join(unknown), expected)]
    rows, problems = [], []
    for written in reader:
        if None in written:
            expected = Message("与表头相同的列数", "as many columns as the header")
            problems.append(Problem(f"{name} {reader.line_num}", str(written[None])[:40], expected))
            continue
        row, found = read_row(f"{name} {reader.line_num}", written)
        problems += found
        rows += [row] if row else []
    return rows, problems


def problems_between(
    shipped: Sequence[FactorRow], home: Sequence[FactorRow], units: Units
) -> Iterator[Problem]:
    """What is wrong among rows that are right by themselves. Only what the home adds is held against the rest."""
    everything = [*shipped, *home]
    seen: dict[str, FactorRow] = {}
    for row in everything:
        if (first := seen.setdefault(row["factor_id"], row)) is not row:
            expected = Message(f"新的编号; {first.place} 已用", f"an id of its own; {first.place} has it")
            yield Problem(f"{row.place} factor_id", row["factor_id"], expected)
    yield from _overlaps(everything)
    known = {row["carrier"] for row in shipped} | set(units.canonical)
    for row in everything:
        yield from _unit_problems(row, units)
        if row["carrier"] not in known:
            expected = Message(
                f"已知品种: {', '.join(sorted(known - {''}))}",
                f"a known carrier: {', '.join(sorted(known - {''}))}",
            )
            yield Problem(f"{row.place} carrier", row["carrier"], expected)
    yield from _mixed_formulas(everything, home)


def _overlaps(rows: Iterable[FactorRow]) -> Iterator[Problem]:
    """Two rows for one time are one too many, unless the later known revises the same time or takes over an open end."""
    groups: defaultdict[tuple[str, ...], list[FactorRow]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[column] for column in _KEY)].append(row)
    for group in groups.values():
        for one, other in combinations(group, 2):
            first, second = sorted((one, other), key=lambda row: row.known_since)
            if first.starts_on > second.ends_on or second.starts_on > first.ends_on:
                continue
            is_later_known = first.known_since < second.known_since
            is_revision = (first.starts_on, first.ends_on) == (second.starts_on, second.ends_on)
            takes_over = first.ends_on == date.max and first.starts_on < second.starts_on
            if is_later_known and (is_revision or takes_over):
                continue
            expected = Message(
                f"与 {one.place} ({one['factor_id']}) 不重叠的有效期; 修订值应有更晚的 known_since",
                f"a validity that does not overlap {one.place} ({one['factor_id']}); a revised value has a later known_since",
            )
            yield Problem(
                f"{other.place} valid_year, valid_from", f"{other.starts_on} – {other.ends_on}", expected
            )


def _unit_problems(row: FactorRow, units: Units) -> Iterator[Problem]:
    results = _RESULTS.get((row["factor_kind"], row["parameter"]))
    meaning = units.meanings.get(row["unit"])
    fitting = sorted(
        unit for unit, (_, result) in units.meanings.items() if results is None or result in results
    )
    if meaning is None or (results and meaning[1] not in results):
        expected = Message(f"{', '.join(fitting)} 之一", f"one of {', '.join(fitting)}")
        yield Problem(f"{row.place} unit", row["unit"], expected)
    elif row["parameter"] == "per_unit" and not units.has_way(row["carrier"], meaning[0]):
        unit = units.canonical[row["carrier"]]
        expected = Message(
            f"按 {unit} 计, 或可由 {unit} 换算的单位",
            f"a unit per {unit}, or one that {unit} can be converted to",
        )
        yield Problem(f"{row.place} unit", row["unit"], expected)


def _mixed_formulas(rows: Iterable[FactorRow], home: Sequence[FactorRow]) -> Iterator[Problem]:
    """A formula whose parameters come from two documents, or that is not whole, where the home has a hand in it."""
    touched = {(row["factor_set"], row["carrier"]) for row in home if row["factor_kind"] == "fuel"}
    groups: defaultdict[tuple[str, str], list[FactorRow]] = defaultdict(list)
    for row in rows:
        key = row["factor_set"], row["carrier"]
        if row["factor_kind"] == "fuel" and row["parameter"] in _OF_FORMULAS and key in touched:
            groups[key].append(row)
    for (factor_set, carrier), group in groups.items():
        own = [row for row in group if row in home]
        documents = {row.document for row in group}
        found = {row["parameter"] for row in group}
        # a table that is printed anew each year is many documents of one set, and each row is whole by itself
        is_yearly = found == {"per_unit"} and own == group
        if len(documents) > 1 and not is_yearly:
            other = next(row for row in group if row.document != own[0].document)
            yield Problem(
                f"{own[0].place} document_no",
                f"{own[0]['parameter']} {own[0].document}",
                Message(
                    f"{factor_set} {carrier} 的各参数出自同一文件; {other.place} ({other['factor_id']}) 出自 {other.document}; 请用自己的 factor_set 给出整套参数",
                    f"all parameters of {factor_set} {carrier} from one document; {other.place} ({other['factor_id']}) is from {other.document}; give the whole formula under a factor_set of its own",
                ),
            )
        if found not in _FORMULAS and found - {"carbon_content"} != {"lhv", "per_energy"}:
            yield Problem(
                own[0].place,
                f"{factor_set} {carrier}: {', '.join(sorted(found))}",
                Message(
                    "per_unit, 或 lhv + carbon_content + oxidation, 或 lhv + per_energy, 同属一个 factor_set",
                    "per_unit, or lhv + carbon_content + oxidation, or lhv + per_energy, all of one factor_set",
                ),
            )


def check_profile(registry: Registry, profile: RegionProfile) -> None:
    """Raises Refusal naming each key of the profile that leads to no row, or to one of another kind."""
    method, rows = profile.method, registry.by_id.values()
    problems: list[Message] = []

    def need(key: str, found: str, words: Iterable[str], fits: Callable[[str], bool]) -> None:
        if not fits(found):
            listed = ", ".join(sorted(set(words)))
            problems.append(
                Message(
                    f"method.{key}: 发现 {found}, 应为 {listed} 之一",
                    f"method.{key}: found {found}, expected one of {listed}",
                )
            )

    def of_kind(kind: str, column: str, **wanted: str) -> set[str]:
        matching = (row for row in rows if row["factor_kind"] == kind)
        return {
            row[column] for row in matching if all(row[name] == word for name, word in wanted.items())
        } - {""}

    fuel_sets = {
        name
        for name in of_kind("fuel", "factor_set")
        if any(row["parameter"] in ("per_unit", "lhv") for row in rows if row["factor_set"] == name)
    }
    families = of_kind("electricity", "factor_set") - set(_OF_A_PART)
    choices = {
        "coal_set": of_kind("standard_coal", "factor_set", parameter="per_unit")
        - of_kind("standard_coal", "series"),
        "fuel_set": fuel_sets,
        "gas_coal_factor": of_kind("standard_coal", "factor_id", carrier="natural_gas", parameter="per_unit"),
        "electricity_equivalent_factor": of_kind("standard_coal", "factor_id", carrier="electricity"),
        "electricity_primary_series": of_kind("standard_coal", "series", carrier="electricity")
        | of_kind("standard_coal", "factor_id", carrier="electricity"),
        "heat_factor": of_kind("heat", "factor_id"),
        "electricity_family": families,
        "market_electricity_family": of_kind("electricity", "factor_set") & {_OF_THE_REST},
        "gwp_edition": of_kind("gwp", "factor_set"),
        "accounting_method": {entry["method_id"] for entry in registry.methods},
    }
    for key, words in choices.items():
        need(key, getattr(method, key), words, words.__contains__)
    terms = csv.DictReader(io.StringIO(_seed("factors/inventory_terms.csv")))
    sets = {row["method_set"] for row in terms} - {_BY_THE_PROFILE}
    for name in method.inventory_sets:
        need("inventory_sets", name, sets, sets.__contains__)
    problems += list(_stand_in_problems(registry, profile))
    if not problems:
        problems += list(_method_problems(registry, profile))
    if problems:
        raise _refusal("profile", problems)


def _stand_in_problems(registry: Registry, profile: RegionProfile) -> Iterator[Message]:
    of_all = {*_OF_A_PART, _OF_THE_REST} - {profile.method.electricity_family}
    for item in profile.stand_ins:
        others = of_all if item.purpose == "electricity" else set(_OF_A_PART)
        row = registry.by_id.get(item.factor_id)
        place = f"stand_ins {item.year}"
        if row is None or row["factor_kind"] != "electricity":
            yield Message(
                f"{place}: 发现 {item.factor_id}, 应为一条电力因子的编号",
                f"{place}: found {item.factor_id}, expected the id of an electricity factor",
            )
        elif item.purpose == "electricity_market":
            family = profile.method.market_electricity_family
            if row["factor_set"] != family:
                yield Message(
                    f"{place}: {item.factor_id} 属 {row['factor_set']} 类, 应为 {family} 类的一条",
                    f"{place}: {item.factor_id} is of family {row['factor_set']}, expected a row of {family}",
                )
        elif row["factor_set"] in others:
            yield Message(
                f"{place}: {item.factor_id} 属 {row['factor_set']} 类, 只用于部分电量, 不得用于全部外购电; 应为其他类的电力因子",
                f"{place}: {item.factor_id} is of family {row['factor_set']}, which is for a part of the electricity and never for all of it; expected a row of another family",
            )


def _method_problems(registry: Registry, profile: RegionProfile) -> Iterator[Message]:
    chosen = registry.method(profile.method.accounting_method)
    if chosen["fuel_set"] not in ("", profile.method.fuel_set):
        others = ", ".join(item["method_id"] for item in registry.methods if not item["fuel_set"])
        yield Message(
            f"method.fuel_set: 发现 {profile.method.fuel_set}; {chosen['method_id']} 只用 {chosen['fuel_set']}; 用其他因子集时 accounting_method 应为 {others}",
            f"method.fuel_set: found {profile.method.fuel_set}; {chosen['method_id']} takes {chosen['fuel_set']} alone; with another set accounting_method is {others}",
        )


def _refusal(name: str, problems: Sequence[Message]) -> Refusal:
    more = len(problems) - _SHOWN
    shown = problems[:_SHOWN]
    rest_zh, rest_en = (f"; 另有 {more} 处", f"; and {more} more") if more > 0 else ("", "")
    is_profile = name == "profile"
    what = (
        Message("区域配置", "the profile")
        if is_profile
        else Message(f"因子登记表 {name}", f"factor registry {name}")
    )
    page = "docs/profiles.md" if is_profile else "docs/factors.md"
    return Refusal(
        "bad_profile_factors" if is_profile else "bad_factors",
        Message(
            f"{what.zh} 有误: " + "; ".join(problem.zh for problem in shown) + rest_zh,
            f"{what.en} is wrong: " + "; ".join(problem.en for problem in shown) + rest_en,
        ),
        Message(f"请按 {page} 改正, 再运行一次", f"mend it as {page} describes, then run again"),
    )


@cache
def _seed(name: str) -> str:
    return (SEEDS / name).read_text(encoding="utf-8")


def _text(path: Path) -> str:
    """UTF-8, or what spreadsheets in China save as CSV. Raises Refusal."""
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Refusal(
        "bad_factors",
        Message(f"{path.name} 的编码无法识别", f"the encoding of {path.name} is not known"),
        Message("请另存为 UTF-8 编码的 CSV", "save it as CSV in UTF-8"),
    )


@cache
def _units() -> Units:
    def rows(name: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(_seed(name))))

    return Units(
        {
            row["factor_unit"]: (row["amount_unit"], row["result_unit"])
            for row in rows("conversions/factor_units.csv")
        },
        {row["carrier"]: row["canonical_unit"] for row in rows("codes/carriers.csv")},
        frozenset(
            (row["carrier"], row["from_unit"], row["to_unit"])
            for row in rows("conversions/carrier_conversions.csv")
        ),
    )
