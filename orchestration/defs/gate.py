"""The gate: rules and the Great Expectations checkpoint on the candidate marts give the verdict on this build."""

from __future__ import annotations

import json
import shutil

import dagster as dg

from orchestration import night as nights
from orchestration.dbt_build import MANIFEST, run_folder
from orchestration.defs.resources import POOL, writer
from orchestration.defs.simulation import SIMULATION
from orchestration.defs.warehouse import dbt_models
from orchestration.plots import stacked_bars
from orchestration.settings import load_settings
from quality.catalogue import load_catalogue
from quality.dbt_tests import read_run_results
from quality.runner import record_results, run_rules
from quality.verdict import make_verdict, read_verdict, write_verdict
from quality.waivers import load_waivers

VERDICT = dg.AssetKey(["gate", "verdict"])


@dg.asset(
    key=VERDICT,
    group_name="gate",
    pool=POOL,
    deps=[dbt_models, SIMULATION],
    kinds={"greatexpectations"},
    description="The verdict on this build (质量裁定): rules counted in DuckDB, dbt tests, pandera results, and a Great "
    "Expectations checkpoint on the candidate marts with its Data Docs.",
)
def verdict() -> dg.MaterializeResult[None]:
    settings = load_settings()
    night = nights.resume(settings)
    catalogue = load_catalogue()
    waivers = load_waivers(night.home.waivers, catalogue)
    docs = night.home.night / "data_docs"
    shutil.rmtree(docs, ignore_errors=True)
    with writer(settings) as con:
        tests = read_run_results(run_folder(settings) / "run_results.json")
        results = run_rules(con, catalogue, waivers, night.as_of, dbt_tests=tests)
        from quality.checkpoint import run_checkpoint

        report = run_checkpoint(
            con,
            MANIFEST,
            docs,
            catalogue=catalogue,
            rule_results=results,
            build_id=night.build_id,
            as_of=night.as_of,
        )
        results = record_results(con, catalogue, report.results, waivers, night.as_of)
        found = make_verdict(con, catalogue, night.build_id, night.as_of)
    write_verdict(found, night.home.verdict)
    outcomes = sorted({result.outcome for result in results})
    tally = [sum(result.outcome == outcome for result in results) for outcome in outcomes]
    metadata = {
        "dagster/row_count": len(results),
        "outcome": found.outcome,
        "failing": json.dumps([r.rule_id for r in results if r.outcome in ("fail", "broken")]),
        "warned": json.dumps([r.rule_id for r in results if r.outcome == "warn"]),
        "expectations": report.n_expectations,
        "content_sha256": found.digest,
        "data_docs": dg.MetadataValue.path(str(docs / "index.html")),
        "outcomes": stacked_bars(outcomes, {"rules": tally}, "rules by outcome"),
    }
    return dg.MaterializeResult(metadata=metadata)


@dg.asset_check(
    asset=VERDICT,
    name="build_may_be_published",
    blocking=True,
    description="No rule of severity `fail` is open and no check is broken (本次构建可以发布).",
)
def build_may_be_published() -> dg.AssetCheckResult:
    settings = load_settings()
    found = read_verdict(settings.paths.verdict)
    return dg.AssetCheckResult(
        passed=found.outcome == "pass" and found.build_id == nights.resume(settings).build_id,
        metadata={
            "n_fail": found.n_fail,
            "n_warn": found.n_warn,
            "build_id": found.build_id,
            "failing": json.dumps([rule.rule_id for rule in found.failing_rules]),
        },
    )


assets = [verdict]
asset_checks = [build_may_be_published]
