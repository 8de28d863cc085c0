"""The answers of this product: cases become a home's files, its own loading and its own dbt models compute them.

Belongs here: writing the files of a world (one profile, one as-of date), loading them, building, reading answers back.
Does not belong here: any arithmetic. dbt builds the first world; what it compiled is run again for every other
world and every changed factor, because a second dbt costs more than all models together.
"""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import yaml
from conformance_kit import HERE, MISSING, Case, Key, Row

from ingestion import raw
from ingestion.sources import SOURCES
from orchestration import dbt_build
from orchestration import night as nights
from orchestration.defs import raw as raw_room
from orchestration.defs.resources import writer
from orchestration.settings import load_settings
from quality.uncertainty import write_simulation

ASKED = (
    "institution_year", "region_year", "emission_uncertainty", "emissions_change", "inventory_category", "inventory_year",
)  # fmt: skip
"""Marts that answers are read from."""
_INPUTS = ("case", "subject", "period", "quantity", "value", "unit", "state", "release", "form")
_REGISTER = {
    "统一社会信用代码": "subject",
    "单位名称": "subject",
    "单位类型代码": "type",
    "行政区划代码": "region",
    "生效日期": "valid_from",
    "失效日期": "valid_to",
    "建筑面积": "floor_area",
    "面积单位": "unit",
    "用能人数": "persons",
}
_GREEN_POWER = {
    "登记编号": "document",
    "统一社会信用代码": "subject",
    "凭证类型": "kind",
    "凭证编号": "number",
    "交易类型": "trade",
    "发电省份代码": "province",
    "电量(kWh)": "volume_kwh",
    "使用期起": "starts_on",
    "使用期止": "ends_on",
    "凭证状态": "status",
}
_INVENTORY = {
    "行政区划代码": "region",
    "年度": "year",
    "清单类别": "category",
    "对象": "subject",
    "活动水平": "amount",
    "单位": "unit",
    "不确定度(%)": "uncertainty_pct",
    "版次": "release",
}
_REGISTERS = {"register": _REGISTER, "green_power": _GREEN_POWER}
"""Tables of the kit that are registers → header of the product's register → column of the kit."""


@dataclass(frozen=True)
class Model:
    """One node that dbt built: where it stands, what it stands on and the SQL that dbt compiled for it."""

    name: str
    relation: str
    parents: frozenset[str]
    statement: str | None


class World:
    """One home with the cases of one profile and one as-of date."""

    def __init__(self, root: Path, profile: str, as_of: str, cases: list[Case]) -> None:
        self.cases = cases
        self.home = root / f"{profile}-{as_of}"
        self.rows: dict[tuple[str, int], Row] = {}
        self._write(profile, as_of)
        self.settings = load_settings(home=self.home, as_of=as_of, layouts=[HERE / "layouts"], threads=1)
        self._environment = {
            "TANCANG_HOME": str(self.home),
            "TANCANG_AS_OF": as_of,
            "TANCANG_LAYOUTS": str(HERE / "layouts"),
        }

    def load(self) -> None:
        """Seal, recognise, check and land the files as a night does."""
        os.environ.update(self._environment)
        night, _ = nights.begin(self.settings)
        # the functions below the assets: an instance of Dagster for each call would cost as much as the build
        raw_room.declarations.op.compute_fn.decorated_fn()  # type: ignore[union-attr]
        with writer(self.settings) as con:
            for source in ("registers", *(name for name in SOURCES if name != "registers")):
                raw_room.load_source(night, con, source)
            raw.write_corrections(con, night.declarations.corrections)
            raw.write_codes(con, night.declarations.codes)

    def answers(self, con: duckdb.DuckDBPyConnection) -> dict[Key, str]:
        """What the product says of every figure that the cases ask for."""
        wanted = {
            (row["subject"], row["year"], row["figure"]): case.id
            for case in self.cases
            for row in case.rows["expected"]
        }
        names = {figure for _, _, figure in wanted}
        said_of = [
            *_figures(con, "institution_year", "institution_id", names),
            *_figures(con, "region_year", "region_code", names),
            *_intervals(con),
            *_causes(con),
            *_simulated(con, names),
            *_inventories(con),
            *self._refusals(con),
            *_set_aside(con),
            *_potentials(con),
        ]
        return {
            (wanted[subject, year, figure], subject, year, figure): answer
            for subject, year, figure, answer in said_of
            if (subject, year, figure) in wanted
        }

    def _write(self, profile: str, as_of: str) -> None:
        for folder in ("profiles", "landing/direct_report", "landing/registers", "landing/inventory"):
            (self.home / folder).mkdir(parents=True)
        rows = HERE / "profiles" / f"{profile}.factors.csv"
        if rows.is_file():
            (self.home / "factors.csv").write_bytes(rows.read_bytes())
        declared = yaml.safe_load((HERE / "profiles" / f"{profile}.yml").read_text(encoding="utf-8"))
        declared["regions"] += [
            {
                "code": row["region"],
                "name_zh": row["region"],
                "name_en": row["region"],
                "level": row["level"],
                "parent": row["parent"],
            }
            for row in self._table("regions")
        ]
        text = yaml.safe_dump(declared, allow_unicode=True)
        (self.home / "profiles" / f"{profile}.yml").write_text(text, encoding="utf-8")
        by_form: dict[str, list[Row]] = defaultdict(list)
        for row in self._table("inputs"):
            by_form[row["form"]].append(row)
        for form, rows in by_form.items():
            path = self.home / "landing" / "direct_report" / f"inputs_{form}.csv"
            _write_csv(path, _INPUTS, ([row[name] for name in _INPUTS] for row in rows))
            self.rows |= {(path.name, number): row for number, row in enumerate(rows, start=2)}
        for name, columns in _REGISTERS.items():
            found = self._table(name)
            if found:
                path = self.home / "landing" / "registers" / f"{name}.csv"
                _write_csv(path, columns, ([row[column] for column in columns.values()] for row in found))

        activities = self._table("inventory")
        if activities:
            path = self.home / "landing" / "inventory" / "inventory.csv"
            _write_csv(
                path, _INVENTORY, ([row[column] for column in _INVENTORY.values()] for row in activities)
            )
            self.rows |= {
                (path.name, number): {**row, "subject": row["region"]}
                for number, row in enumerate(activities, start=2)
            }

    def _table(self, name: str) -> list[Row]:
        return [row for case in self.cases for row in case.rows[name]]

    def _refusals(self, con: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str, str, str]]:
        """Reasons of refused rows by the subject that the row names, whatever could be read of it."""
        reasons: dict[str, set[str]] = defaultdict(set)
        for path, number, reason in con.execute(
            "select path, row_number, reason_code from raw.quarantine where source in ('direct_report', 'inventory')"
        ).fetchall():
            reasons[self.rows[Path(path).name, number]["subject"]].add(reason)
        for subject, found in reasons.items():
            yield subject, "", "refusal", "+".join(sorted(found))


def _write_csv(path: Path, header: Iterable[str], rows: Iterable[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer_ = csv.writer(handle)
        writer_.writerow(header)
        writer_.writerows(rows)


def said(value: Any) -> str:
    """A value of a mart as an answer: all digits, and `missing` for what is not known."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return str(value).lower()
    return format(value, "f") if isinstance(value, Decimal) else str(value)


_LIKE_FOR_LIKE = "_like_for_like"


def _figures(
    con: duckdb.DuckDBPyConnection, mart: str, subject: str, names: set[str]
) -> Iterator[tuple[str, str, str, str]]:
    """Columns of a mart; those of the like-for-like population have it in the name of their figure."""
    columns = {row[0] for row in con.execute(f"select column_name from (describe marts.{mart})").fetchall()}
    asked = sorted({name.removesuffix(_LIKE_FOR_LIKE) for name in names} & columns)
    population = "population" if "population" in columns else "'reported'"
    if not asked:
        return
    rows = con.execute(
        f"select {subject}, year, {population}, {', '.join(asked)} from marts.{mart}"
    ).fetchall()
    for key, year, of, *values in rows:
        suffix = _LIKE_FOR_LIKE if of == "like_for_like" else ""
        for name, value in zip(asked, values, strict=True):
            yield str(key), str(year), name + suffix, said(value)


def _intervals(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str, str, str]]:
    """Intervals of the parts of a region's emissions and of their change; those of its total stand in its own row."""
    ends = ("low", "high", "change_low", "change_high")
    for region, year, figure, *values in con.execute(
        f"""select region_code, year, figure, {", ".join(f"figure_{end}_tco2" for end in ends)}
        from marts.emission_uncertainty where population = 'reported'"""
    ).fetchall():
        for end, value in zip(ends, values, strict=True):
            yield region, str(year), figure.replace("_tco2", f"_{end}_tco2"), said(value)


def _causes(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str, str, str]]:
    """Effects of a region's change against the year before, and against the base year where that is another."""
    names = (
        "emissions_change_tco2", "change_by_activity_tco2", "change_by_structure_tco2", "change_by_factor_tco2",
        "change_unexplained_tco2",
    )  # fmt: skip
    for region, year, from_year, population, *values in con.execute(
        f"select region_code, year, from_year, population, {', '.join(names)} from marts.emissions_change"
    ).fetchall():
        suffix = "" if from_year == year - 1 else "_since_base_year"
        if population == "like_for_like":
            suffix += _LIKE_FOR_LIKE
        for name, value in zip(names, values, strict=True):
            yield region, str(year), name + suffix, said(value)


def _simulated(con: duckdb.DuckDBPyConnection, names: set[str]) -> Iterator[tuple[str, str, str, str]]:
    """Percentiles and means of the simulation, which runs where a case asks for them."""
    if not any("_simulated_" in name for name in names):
        return
    write_simulation(con)
    ends = ("simulated_low", "simulated_high", "simulated_mean", "change_simulated_low", "change_simulated_high")
    for region, year, figure, draws, seed, state, *values in con.execute(
        f"""select region_code, year, figure, n_draws, seed_number, simulation_state,
        {", ".join(f"figure_{end}_tco2" for end in ends)}
        from marts.emission_simulation where population = 'reported'"""
    ).fetchall():
        for end, value in zip(ends, values, strict=True):
            yield region, str(year), figure.replace("_tco2", f"_{end}_tco2"), said(value)
        if figure == "emissions_total_tco2":
            yield region, str(year), "n_draws", said(draws)
            yield region, str(year), "seed_number", said(seed)
            yield region, str(year), "simulation_state", said(state)


def _inventories(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str, str, str]]:
    """Figures of a region's inventory, of the part of its public institutions, and of single categories and gases."""
    columns = [
        row[0] for row in con.execute("select column_name from (describe marts.inventory_year)").fetchall()
    ]
    for row in con.execute("from marts.inventory_year").fetchall():
        said_of = dict(zip(columns, row, strict=True))
        part = "" if said_of["inventory_scope"] == "district" else "institutions_"
        for name, value in said_of.items():
            yield str(said_of["region_code"]), str(said_of["year"]), f"inventory_{part}{name}", said(value)
    for region, year, category, gas, mass, co2e, minus, plus in con.execute(
        """select region_code, year, category_code, gas, sum(gas_mass_kg), sum(emissions_tco2e),
        any_value(emissions_low_tco2e), any_value(emissions_high_tco2e)
        from marts.inventory_category where inventory_scope = 'district' group by all"""
    ).fetchall():
        values = {"kg": mass, "tco2e": co2e, "low_tco2e": minus, "high_tco2e": plus}
        for name, value in values.items():
            yield f"{region} {category} {gas}", str(year), f"inventory_gas_{name}", said(value)


def _set_aside(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str, str, str]]:
    """Rows that were read and do not count: not approved, superseded by a later release, conflicting."""
    for subject, year, states in con.execute(
        """select institution_id, year, string_agg(distinct cell_state, '+' order by cell_state)
        from core.core_direct_report_cells where cell_state <> 'used' group by all"""
    ).fetchall():
        yield str(subject), str(year), "set_aside", str(states)


def _potentials(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str, str, str]]:
    """GWP of gases and blends by edition, stated or computed from a composition."""
    for gas, edition, value in con.execute(
        "select gas, factor_set, factor_value from core.core_factor where parameter = 'gwp100'"
    ).fetchall():
        yield f"{gas} {edition}", "", "gwp100", said(value)


class Product:
    """All worlds of some cases, built once; `with_change` asks what the answers are when one row of a table is another."""

    def __init__(self, root: Path, asked: Iterable[Case]) -> None:
        by_world: dict[tuple[str, str], list[Case]] = defaultdict(list)
        for case in asked:
            by_world[case.world].append(case)
        self.worlds = [World(root, *world, cases) for world, cases in by_world.items()]
        self.models: list[Model] = []
        before = dict(os.environ)
        try:
            for world in self.worlds:
                world.load()
                self._build(world)
        finally:
            os.environ.clear()
            os.environ.update(before)

    def answers(self) -> dict[Key, str]:
        found: dict[Key, str] = {}
        for world in self.worlds:
            with writer(world.settings) as con:
                found |= world.answers(con)
        return found

    def with_change(
        self, world: World, relation: str, change: Callable[[duckdb.DuckDBPyConnection], None]
    ) -> dict[Key, str]:
        """The answers of one world after a change in one table. The warehouse is put back afterwards."""
        with writer(world.settings) as con:
            con.execute("begin")
            try:
                change(con)
                for model in self._below(relation.split(".")[1]):
                    if model.statement:
                        con.execute(model.statement)
                return world.answers(con)
            finally:
                con.execute("rollback")

    def _below(self, table: str) -> list[Model]:
        reached = {table}
        found = []
        for model in self.models:
            if model.parents & reached:
                reached.add(model.name)
                found.append(model)
        return found

    def _build(self, world: World) -> None:
        if not self.models:
            built, _, result = dbt_build.build(world.settings, *[f"+{name}" for name in ASKED])
            if not built:
                raise RuntimeError("; ".join(dbt_build.failed_nodes(result)))
            self.models = [_model(item.node) for item in result.results]
            return
        first = self.worlds[0].settings.paths.warehouse
        with writer(world.settings) as con:
            con.execute(f"attach '{first}' as first (read_only)")
            for schema in {model.relation.split(".")[1] for model in self.models}:
                con.execute(f"create schema if not exists {schema}")
            for model in self.models:
                if model.statement:
                    con.execute(model.statement)
                else:
                    source = model.relation.replace('"warehouse"', "first", 1)
                    con.execute(f"create table {model.relation} as from {source}")
            con.execute("detach first")


def _model(node: Any) -> Model:
    code = getattr(node, "compiled_code", None)
    kind = "view" if node.config.materialized == "view" else "table"
    return Model(
        name=node.name,
        relation=node.relation_name,
        parents=frozenset(name.rsplit(".", 1)[-1] for name in node.depends_on.nodes) if code else frozenset(),
        statement=f"create or replace {kind} {node.relation_name} as {code}" if code else None,
    )
