"""A warehouse in memory from landed files, with some of its models: what takes a night, in a second.

Belongs here: loading files and rendering models for measurements and tests of SQL. Contracts, tests and the gate are
the night's; nothing is published from here.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import yaml

from ingestion import declared, raw
from ingestion.account import Delivery
from ingestion.archive import Receipt
from ingestion.contracts.home import Home
from ingestion.layouts import reading
from ingestion.load import Rules, load
from ingestion.sources import SOURCES

PROJECT = Path(__file__).parent.parent / "dbt_project"
SEEDS = (
    "unit_conversions", "carrier_conversions", "carriers", "direct_report_forms", "direct_report_items", "audit_items",
    "metering_items", "task_states", "institution_types", "method_limits", "scale_slips", "scale_evidence_kinds",
    "meter_break_ratios", "reading_kinds", "repair_codes",
)  # fmt: skip
RETURNS = (
    "stg_control__files", "stg_direct_report__values", "stg_energy_audit__values", "core_late_return",
    "core_direct_report_cells", "core_form_amount", "core_reported_amount",
)  # fmt: skip
SCALE = ("core_amount_cell", "core_cumulative_cell", "core_scale_evidence", "core_scale_proposal")
METERS = (
    "stg_control__files", "stg_control__reading_rules", "stg_metering__readings", "core_repeated_readings",
    "core_overlapping_readings", "core_register_steps", "core_doubled_readings", "core_standing_reading", "core_meter_break",
)  # fmt: skip
REPAIRS = (
    *METERS[:-2], "core_standing_step", "core_standing_reading", "core_reading_repair", "core_register_events",
    "core_meter_month", "core_meter_break",
)  # fmt: skip
_SCHEMAS = {"staging": "staging", "core": "core", "accounting": "core", "marts": "marts"}


@dataclass(frozen=True)
class Landed:
    """One file as it would land: its source, its path below the source folder, its bytes."""

    source: str
    path: str
    content: bytes


def files_below(landing: Path) -> list[Landed]:
    """Every file of a landing folder, in the order of its names."""
    return [
        Landed(folder.name, path.relative_to(folder).as_posix(), path.read_bytes())
        for folder in sorted(landing.iterdir())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and folder.name in SOURCES
    ]


def warehouse(landed: Iterable[Landed], rules: Rules, folder: Path) -> duckdb.DuckDBPyConnection:
    """Raw tables of the files and the seeds. `folder` takes the Parquet of rows at rest."""
    con = duckdb.connect()
    for schema in ("seeds", "staging", "core"):
        con.execute(f"create schema {schema}")
    files = list(landed)
    for source in SOURCES:
        receipts = [Receipt(source=item.source, path=item.path, sha256=str(n), size_bytes=len(item.content),
                            received_on=date(2026, 1, 1), version=1)
                    for n, item in enumerate(files) if item.source == source]  # fmt: skip
        contents = [item.content for item in files if item.source == source]
        loaded = [
            load(Delivery(receipt.file_id, source, receipt.path), content, rules)
            for receipt, content in zip(receipts, contents, strict=True)
        ]
        raw.write_source(con, Home(folder), source, rules.reference, loaded, receipts, [])
    raw.write_corrections(con, rules.corrections)
    raw.write_codes(con, rules.codes)
    options = reading.rows((layout.id, layout.readings) for layout in rules.layouts)
    raw.write_table(con, "reading_rules", reading.COLUMNS, options)
    declared.write_freezing(con)
    raw.write_table(con, "build", "build_id VARCHAR, as_of DATE", [("scratch", date(2026, 1, 1))])
    seed(con, SEEDS)
    return con


def seed(con: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """Seeds as dbt would load them."""
    for name in names:
        _seed(con, name)


def declare(con: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """Empty tables in the place of models, with the columns of their contracts."""
    for name in names:
        (model,) = yaml.safe_load(_places()[name].with_suffix(".yml").read_text(encoding="utf-8"))["models"]
        columns = ", ".join(f"{column['name']} {column['data_type']}" for column in model["columns"])
        con.execute(f"create table {_relation(name)} ({columns})")


def changeable(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """A view of raw over rows at rest as a table, for those who change cells on purpose."""
    con.execute(f"create table raw.landed as from raw.{name}; drop view raw.{name}")
    con.execute(f"alter table raw.landed rename to {name}")


def build(con: duckdb.DuckDBPyConnection, models: Iterable[str]) -> None:
    """Make models anew, in the order given: views where core and marts say so, tables else."""
    for name in models:
        is_view = _schema(name) != "staging" and "materialized='view'" in _places()[name].read_text(
            encoding="utf-8"
        )
        con.execute(f"create or replace {'view' if is_view else 'table'} {_relation(name)} as {_sql(name)}")


def failing(con: duckdb.DuckDBPyConnection, assertion: str) -> list[tuple[Any, ...]]:
    """The rows that a test of `dbt_project/tests` finds wrong."""
    return con.execute(_sql(assertion)).fetchall()


@cache
def _places() -> dict[str, Path]:
    models_and_tests = (path for folder in ("models", "tests") for path in (PROJECT / folder).rglob("*.sql"))
    return {path.stem: path for path in [*models_and_tests, *(PROJECT / "seeds").rglob("*.csv")]}


def _schema(name: str) -> str:
    path = _places()[name]
    return "seeds" if path.suffix == ".csv" else _SCHEMAS[path.relative_to(PROJECT / "models").parts[0]]


def _relation(name: str) -> str:
    return f"{_schema(name)}.{name}"


@cache
def _sql(name: str) -> str:
    macros = [path.read_text(encoding="utf-8") for path in sorted((PROJECT / "macros").glob("*.sql"))]
    template = jinja2.Environment(extensions=["jinja2.ext.do"]).from_string(
        "".join(macros) + _places()[name].read_text(encoding="utf-8")
    )
    return template.render(
        ref=_relation, source=lambda _, table: f"raw.{table}", config=lambda **_: "", target={"schema": ""}
    )


@cache
def _types() -> dict[str, dict[str, str]]:
    declared = yaml.safe_load((PROJECT / "seeds" / "_seeds.yml").read_text(encoding="utf-8"))
    return {seed["name"]: seed["config"]["column_types"] for seed in declared["seeds"]}


def _seed(con: duckdb.DuckDBPyConnection, name: str) -> None:
    types = _types()[name]
    with _places()[name].open(encoding="utf-8", newline="") as handle:
        lines = list(csv.DictReader(handle))
    con.execute(f"create table seeds.{name} ({', '.join(f'{key} {kind}' for key, kind in types.items())})")
    rows: list[list[Any]] = [[line[key] or None for key in types] for line in lines]
    con.executemany(f"insert into seeds.{name} values ({', '.join('?' for _ in types)})", rows)
