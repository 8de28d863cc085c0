"""Staging, core and marts: dbt's models as assets, in the groups of the rooms.

A night fails when the set of models that dbt really built is not the set that was selected: dbt outputs are
optional for Dagster, and a run that built nothing would otherwise be called a success.
"""

# no postponed annotations here: Dagster reads the type of `context` from the signature
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import dbt_assets

from orchestration.dbt_build import Translator, build, current_manifest, failed_nodes, run_tests, stream
from orchestration.defs.resources import POOL, writer
from orchestration.plots import stacked_bars
from orchestration.settings import Settings, load_settings

TRANSLATOR = Translator()


@dbt_assets(manifest=current_manifest(), dagster_dbt_translator=TRANSLATOR, name="dbt_models", pool=POOL)  # type: ignore[untyped-decorator]
def dbt_models(context: dg.AssetExecutionContext) -> Iterator[Any]:
    settings = load_settings()
    built, events, result = build(settings)
    materialised = set()
    facts = table_facts(settings)
    for event in stream(events, context, TRANSLATOR):
        if isinstance(event, dg.Output):
            key = context.asset_key_for_output(event.output_name)
            materialised.add(key)
            context.add_output_metadata(_metadata(key, facts), output_name=event.output_name)
        yield event
    if not built:
        raise dg.Failure("dbt could not build: " + "; ".join(failed_nodes(result)), allow_retries=False)
    check_complete(materialised, set(context.selected_asset_keys))
    _, events, _ = run_tests(settings)
    yield from stream(events, context, TRANSLATOR)


def check_complete(materialised: set[dg.AssetKey], selected: set[dg.AssetKey]) -> None:
    """Raises Failure naming what was selected and not built, or built and not selected."""
    if materialised != selected:
        missing = sorted(key.to_user_string() for key in selected - materialised)
        extra = sorted(key.to_user_string() for key in materialised - selected)
        raise dg.Failure(
            f"the warehouse is incomplete: not built {missing}, not selected {extra}", allow_retries=False
        )


@dataclass(frozen=True)
class TableFacts:
    """What the metadata of one dbt asset says. The hash does not depend on the order of rows; it is the
    engine's own, so it tells two builds of one engine apart and seals nothing."""

    n_rows: int
    content_hash: str | None
    picture: dg.MarkdownMetadataValue | None = None


def table_facts(settings: Settings) -> dict[str, TableFacts]:
    """Facts of every table and view that dbt owns, by name (names are unique over the rooms)."""
    with writer(settings) as con:
        names = con.execute(
            "select table_schema, table_name, table_type from information_schema.tables "
            "where table_schema in ('seeds', 'staging', 'core', 'marts') order by all"
        ).fetchall()
        facts = {}
        for schema, name, kind in names:
            content = "null" if kind == "VIEW" else "coalesce(bit_xor(hash(held)), 0)::varchar"
            ((n_rows, content_hash),) = con.execute(
                f'select count(*), {content} from "{schema}"."{name}" as held'
            ).fetchall()
            facts[name] = TableFacts(n_rows, content_hash, _picture(con, name))
        return facts


_PICTURES = {
    "institution_year": (
        "tCO2 by institution type",
        """select institution_type_code, year::varchar, sum(emissions_total_tco2)::double
        from marts.institution_year group by all order by all""",
    ),
    "region_year": (
        "kgce per m2 (primary) by region",
        """select region_code, year::varchar, energy_per_area_primary_kgce_m2 from marts.region_year
        where population = 'reported' and year = (select max(year) from marts.region_year) order by all""",
    ),
    "building_year": (
        "buildings by metered share of the year",
        """select case when electricity_coverage_share is null then 'no electricity meter'
            when electricity_coverage_share >= 0.999 then 'whole year'
            when electricity_coverage_share >= 0.9 then '90 % and more' else 'less than 90 %' end,
            year::varchar, count(*)::double from marts.building_year group by all order by all""",
    ),
}
"""Title and query (label, series, number) of the pictures in the metadata of the marts that people look at."""


def _picture(con: duckdb.DuckDBPyConnection, name: str) -> dg.MarkdownMetadataValue | None:
    if name not in _PICTURES:
        return None
    title, query = _PICTURES[name]
    rows = con.execute(query).fetchall()
    labels = sorted({str(row[0]) for row in rows}) or ["-"]
    years = sorted({row[1] for row in rows})
    values = {(str(label), year): float(number or 0) for label, year, number in rows}
    return stacked_bars(
        labels, {year: [values.get((label, year), 0.0) for label in labels] for year in years}, title
    )


def _metadata(key: dg.AssetKey, facts: dict[str, TableFacts]) -> dict[str, Any]:
    """Metadata of one asset; empty for what dbt built outside the warehouse's own schemas."""
    known = facts.get(key.path[-1])
    if known is None:
        return {}
    found: dict[str, Any] = {"dagster/row_count": known.n_rows}
    if known.content_hash is not None:
        found["content_hash"] = known.content_hash
    if known.picture is not None:
        found["picture"] = known.picture
    return found


assets = [dbt_models]
