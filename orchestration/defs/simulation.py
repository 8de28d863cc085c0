"""The simulation: intervals of the regions' figures by Monte Carlo, a candidate mart that dbt cannot build.

Belongs here: the asset. Draws and figures are quality's (simulation.py, uncertainty.py).
"""

from __future__ import annotations

import dagster as dg

from orchestration.defs.resources import POOL, writer
from orchestration.defs.warehouse import dbt_models
from orchestration.settings import load_settings
from quality.uncertainty import write_simulation

SIMULATION = dg.AssetKey(["marts", "emission_simulation"])


@dg.asset(
    key=SIMULATION,
    group_name="marts",
    pool=POOL,
    deps=[dbt_models],
    kinds={"duckdb", "numpy"},
    description="Intervals of regional emissions and of their change by Monte Carlo: each factor row is drawn once per "
    "iteration (蒙特卡洛模拟).",
)
def emission_simulation() -> dg.MaterializeResult[None]:
    with writer(load_settings()) as con:
        n_rows = write_simulation(con)
        ((content,),) = con.execute(
            "select coalesce(bit_xor(hash(held)), 0)::varchar from marts.emission_simulation as held"
        ).fetchall()
    return dg.MaterializeResult(metadata={"dagster/row_count": n_rows, "content_hash": content})


assets = [emission_simulation]
