"""Five years of a province's monthly returns accounted, against the same joins and sums by hand: `python -m benchmarks accounting`.

Belongs here: the invented cells, the run of the product's models and that of `accounting.sql`, and what must agree. Both start
from the cells that stand (`core_direct_report_cells`) and from the same factors, each in a process of its own; the product's
SQL is that of dbt_project, each model written to disk as a night writes it. Reading files and deciding which returns stand is
measured elsewhere.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import apart, scratch
from ingestion.contracts import factors

MEANING = (
    "Monthly cells of eleven carriers, and what was passed on by year, from the cells that stand (`core_direct_report_cells`) to institutions\n"
    "and regions: energy on both bases, emissions at moving, frozen and market-based factors, bounds by error propagation\n"
    "(`python -m benchmarks accounting`). By hand are the same joins and sums with the same number types and nothing else\n"
    "(`benchmarks/accounting.sql`: no annual return beside months, no places of cells, no like-for-like, no reasons). Each runs in a\n"
    "process of its own with a limit of 8 GB and writes to disk; all figures of both agree to the last digit."
)
N_INSTITUTIONS, YEARS = 51_754, range(2021, 2026)
GOAL = "≤ 2 × CPU"
FACTORS = (
    "core_factor", "core_carrier_factor", "core_region_path", "core_electricity_factor", "core_market_factor",
    "core_uncertainty", "core_period_state",
)  # fmt: skip
MODELS = (
    "core_form_amount", "core_reported_amount", "core_chosen_amount", "core_activity", "core_emission_term",
    "core_institution_uncertainty", "institution_year", "core_region_emission_term", "core_region_uncertainty_cause", "emission_uncertainty",
    "region_year",
)  # fmt: skip
_EMPTY = (
    "core_institution_register", "core_meter_month", "core_audit_value", "core_heating", "core_data_room", "core_inventory_gas",
    "core_source_amount", "core_source_choice",
)  # fmt: skip
_SEEDS = (
    "carriers", "factors", "carrier_conversions", "factor_units", "grid_regions", "method_limits", "uncertainty_defaults",
    "uncertainty_choices", "direct_report_items", "inventory_categories",
)  # fmt: skip
_CITIES, _COUNTIES = 21, 183
_CONFIG: dict[str, Any] = {"threads": 2, "memory_limit": "8GB"}
_SEED = 2021

_CONTROL = f"""
create table staging.stg_control__build as select
    'benchmark' as build_id, '510000' as region_code, date '2026-06-30' as as_of, 'equivalent' as coal_basis,
    'GB/T 2589-2020' as coal_set, 'SC-EL-SUPPLY' as electricity_primary_series, 'SC-EL-EQUIV' as electricity_equivalent_factor,
    'SC-NG' as gas_coal_factor, 'JS/T 303-2026' as fuel_set, 'HT-CN-0.11' as heat_factor, 'avg' as electricity_family,
    'AR5' as gwp_edition, 'exmk' as market_electricity_family, {YEARS.start} as base_year;
create table staging.stg_control__regions as
    select '510000' as region_code, null as parent_code, '省' as region_name_zh, 'province' as region_name_en,
        'province' as region_level, true as is_in_scope
    union all
    select '51' || lpad(range::varchar, 2, '0') || '00', '510000', '市', 'city', 'city', true from range(1, {_CITIES} + 1)
    union all
    select '51' || lpad((range % {_CITIES} + 1)::varchar, 2, '0') || lpad((range // {_CITIES} + 1)::varchar, 2, '0'),
        '51' || lpad((range % {_CITIES} + 1)::varchar, 2, '0') || '00', '县', 'county', 'county', true
    from range({_COUNTIES});
create table staging.stg_control__region_groups (group_code varchar, member_code varchar, valid_from date, valid_to date);
create table staging.stg_control__stand_ins (year integer, purpose varchar, factor_id varchar);
create table staging.stg_inventory__activities (year integer);
create table raw.frozen_years (year integer, frozen_on date);
create table staging.stg_control__windows (source varchar, year integer, due_on date, closes_on date);
create table staging.stg_control__uncertainties (uncertainty_id varchar, factor_id varchar, distribution varchar,
    minus_pct decimal(18,8), plus_pct decimal(18,8));
"""
_INSTITUTIONS = """
insert into core.core_institution by name
select
    'uscc' as institution_id_scheme,
    '11510000' || lpad(institutions.range::varchar, 10, '0') as institution_id,
    years.range as year,
    '51' || lpad((institutions.range % $counties % $cities + 1)::varchar, 2, '0')
        || lpad((institutions.range % $counties // $cities + 1)::varchar, 2, '0') as region_code,
    'institution ' || institutions.range as institution_name,
    '01' as institution_type_code, 'months' as return_kind, 1000 + institutions.range % 9000 as floor_area_m2,
    50 + institutions.range % 900 as energy_users_persons, 12 as months_reported, 0 as n_quarantined_values,
    make_date(years.range, 1, 1) as year_starts_on, true as is_registered
from range($n) as institutions, range($first, $last) as years
"""
# Files of one city and month, an institution a row, an item a column. Each carrier has its own size; one cell in fifty is empty.
_CELLS = """
insert into core.core_direct_report_cells by name
with cells as (
    select
        institutions.institution_id_scheme,
        institutions.institution_id,
        institutions.region_code,
        institutions.year,
        items.item_code,
        items.carrier,
        items.canonical_unit as unit,
        items.form_code,
        case items.form_code when 'NY201' then 'return' else 'supplement' end as form_role,
        case items.form_code when 'NY201' then 'month' else 'year' end as period_kind,
        periods.range as period_index,
        row_number() over (partition by periods.range, institution_id order by items.item_code) + 5 as column_number,
        hash($seed, institution_id, year, periods.range, items.item_code) as drawn
    from core.core_institution as institutions
    inner join range(0, 13) as periods on true
    inner join seeds.direct_report_items as items
        on items.measure = 'amount'
        and items.carrier in (select carrier from seeds.carriers)
        and ((items.form_code = 'NY201' and periods.range > 0 and items.carrier not in ('gasoline_other', 'diesel_other'))
            or (items.form_code = 'supplement' and periods.range = 0 and items.carrier in ('electricity_passed_on', 'heat_passed_on')))
    where institutions.year = $year
)
select
    md5(path) as file_id, form_code || '.wide' as layout_id, form_code, form_role, '2020' as edition, institution_id_scheme,
    institution_id, '' as catalog_item_id, item_code, path, row_number, column_number, 'institution' as record_kind, carrier,
    'amount' as measure, '7' as task_state, 'used' as cell_state, year, period_kind, period_index, 1 as release_number,
    amount, unit, amount as reported_amount, unit as reported_unit, amount as submitted_amount, true as is_counted,
    false as is_corrected
from (
    select
        *,
        form_code || '_' || year || lpad(period_index::varchar, 3, '0') || '_' || left(region_code, 4) || '.csv' as path,
        2 + right(institution_id, 10)::integer as row_number,
        cast((1 + drawn % case carrier when 'electricity' then 800000000 when 'electricity_passed_on' then 9000000
            when 'coal' then 90000 when 'other_energy' then 900000 else 30000000 end)::integer as decimal(18,0)) * 0.0001 as amount
    from cells
    where drawn % 50 > 0
)
order by path, row_number, column_number
"""
_GREEN = """
insert into marts.green_power by name
select institution_id, year, 10000 as volume_kwh, true as is_proven
from core.core_institution
where hash($seed, institution_id, year) % 50 = 0
"""
_COLUMNS = {
    "energy_total_equivalent_kgce": "equivalent_kgce", "energy_total_primary_kgce": "primary_kgce",
    "emissions_direct_tco2": "direct_tco2", "emissions_electricity_tco2": "electricity_tco2",
    "emissions_heat_tco2": "heat_tco2", "emissions_total_tco2": "total_tco2", "emissions_total_frozen_tco2": "frozen_tco2",
    "emissions_electricity_market_based_tco2": "market_electricity_tco2",
    "emissions_total_market_based_tco2": "market_total_tco2", "emissions_total_low_tco2": "low_tco2",
    "emissions_total_high_tco2": "high_tco2",
}  # fmt: skip
"""Column of the product → column by hand."""


def generate(
    con: duckdb.DuckDBPyConnection, n_institutions: int = N_INSTITUTIONS, years: range = YEARS
) -> int:
    """Invented cells of every carrier, what else the models read, and the factors. Returns the number of cells."""
    for schema in ("raw", "seeds", "staging", "core", "marts", "bare"):
        con.execute(f"create schema {schema}")
    con.execute(_CONTROL)
    con.execute(
        f"create table raw.factors ({', '.join(f'{name} {kind}' for name, kind in factors.COLUMNS.items())})"
    )
    scratch.seed(con, _SEEDS)
    scratch.declare(con, (*_EMPTY, "core_institution", "core_direct_report_cells", "green_power"))
    of_all = {"n": n_institutions, "first": years.start, "last": years.stop}
    con.execute(_INSTITUTIONS, {**of_all, "cities": _CITIES, "counties": _COUNTIES})
    for year in years:
        con.execute(_CELLS, {"seed": _SEED, "year": year})
    con.execute(_GREEN, {"seed": _SEED})
    scratch.build(con, FACTORS)
    return _number(con, "select count(*) from core.core_direct_report_cells")


def by_hand(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def faults(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Columns in which the product and the sums by hand are not equal to the last digit."""
    told = []
    for table, key in (("institution_year", "institution_id"), ("region_year", "region_code")):
        alike = " and population = 'reported'" if table == "region_year" else ""
        both = f"""from (from marts.{table} where year is not null{alike}) as ours
            full join bare.{table} as theirs on ours.{key} = theirs.{key} and ours.year = theirs.year"""
        for column, name in _COLUMNS.items():
            n_wrong = _number(
                con,
                f"select count(*) {both} where ours.{column} is distinct from theirs.{name} or ours.{column} is null",
            )
            if n_wrong or not _number(con, f"select count(*) {both}"):
                told.append(f"{table}.{column}: {n_wrong} rows differ")
    return told


def _number(con: duckdb.DuckDBPyConnection, query: str) -> int:
    (row,) = con.execute(query).fetchall()
    return int(row[0])


def _run(what: str, database: str) -> dict[str, Any]:
    with duckdb.connect(database, config=_CONFIG) as con:
        if what == "generate":
            return {"n_cells": generate(con)}
        if what == "faults":
            return {"faults": faults(con)}
        return apart.taken(lambda: by_hand(con) if what == "by_hand" else scratch.build(con, MODELS))[1]


def _apart(what: str, database: Path) -> dict[str, Any]:
    return apart.run("benchmarks.accounting", what, database)


def measure() -> list[tuple[str, str, str]]:
    """Rows for docs/performance.md: what, goal, measured."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "province.duckdb"
        n_cells = _apart("generate", database)["n_cells"]
        floor, full = _apart("by_hand", database), _apart("product", database)
        wrong = _apart("faults", database)["faults"]
    if wrong:
        raise AssertionError("; ".join(wrong))
    told = [f"{run['wall']:.1f} s, CPU {run['cpu']:.1f} s, {run['peak']:.0f} MB" for run in (floor, full)]
    what = f"{n_cells:,} cells of {len(YEARS)} years × {N_INSTITUTIONS:,} institutions accounted"
    ratio = f"{full['cpu'] / floor['cpu']:.2f} × CPU, {full['wall'] / floor['wall']:.2f} × wall"
    return [(what, GOAL, f"{told[1]}; by hand {told[0]}: **{ratio}**")]


if __name__ == "__main__":
    print(json.dumps(_run(*sys.argv[1:3])))
