"""Staging, core and marts: dbt's models as assets, in the groups of the rooms.

A night fails when the set of models that dbt really built is not the set that was selected: dbt outputs are
optional for Dagster, and a run that built nothing would otherwise be called a success.
"""

# no postponed annotations here: Dagster reads the type of `context` from the signature
from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster_dbt import dbt_assets

from orchestration.dbt_build import Translator, current_manifest, failed_nodes, invoke, stream
from orchestration.defs.resources import POOL, writer
from orchestration.plots import stacked_bars
from orchestration.settings import load_settings

TRANSLATOR = Translator()


@dbt_assets(manifest=current_manifest(), dagster_dbt_translator=TRANSLATOR, name="dbt_models", pool=POOL)  # type: ignore[untyped-decorator]
def dbt_models(context: dg.AssetExecutionContext) -> Iterator[Any]:
    settings = load_settings()
    built, events, result = invoke(
        ["build", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"], settings
    )
    materialised = set()
    counts = row_counts(settings)
    for event in stream(events, context, TRANSLATOR):
        if isinstance(event, dg.Output):
            key = context.asset_key_for_output(event.output_name)
            materialised.add(key)
            context.add_output_metadata(_metadata(key, counts), output_name=event.output_name)
        yield event
    if not built:
        raise dg.Failure("dbt could not build: " + "; ".join(failed_nodes(result)), allow_retries=False)
    check_complete(materialised, set(context.selected_asset_keys))
    _, events, _ = invoke(["test", "--exclude-resource-type", "unit_test"], settings)
    yield from stream(events, context, TRANSLATOR)


def check_complete(materialised: set[dg.AssetKey], selected: set[dg.AssetKey]) -> None:
    """Raises Failure naming what was selected and not built, or built and not selected."""
    if materialised != selected:
        missing = sorted(key.to_user_string() for key in selected - materialised)
        extra = sorted(key.to_user_string() for key in materialised - selected)
        raise dg.Failure(
            f"the warehouse is incomplete: not built {missing}, not selected {extra}", allow_retries=False
        )


def row_counts(settings: Any) -> dict[str, int]:
    """Rows of every table and view that dbt owns, by `schema/name`."""
    with writer(settings) as con:
        names = con.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_schema in ('seeds', 'staging', 'core', 'accounting', 'marts') order by all"
        ).fetchall()
        return {
            f"{schema}/{name}": con.execute(f'select count(*) from "{schema}"."{name}"').fetchall()[0][0]
            for schema, name in names
            if schema != "staging"
        }


def _metadata(key: dg.AssetKey, counts: dict[str, int]) -> dict[str, Any]:
    room, name = key.path[0], key.path[-1]
    found: dict[str, Any] = {}
    if f"{room}/{name}" in counts:
        found["dagster/row_count"] = counts[f"{room}/{name}"]
    if key.path == ["marts", "institution_year"]:
        marts = {name: n for name, n in sorted(counts.items()) if name.startswith("marts/")}
        found["rows_by_mart"] = stacked_bars(
            [n.split("/")[1] for n in marts], {"rows": list(marts.values())}, "rows by mart", log=True
        )
    return found


assets = [dbt_models]
