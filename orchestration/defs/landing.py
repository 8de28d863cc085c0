"""The landing room: what people and feeds dropped is sealed. Nothing is read for meaning here."""

from __future__ import annotations

from collections import Counter
from datetime import date

import dagster as dg

from ingestion.contracts.identity import digest
from ingestion.feeds.run import fetch, last_runs
from orchestration import night as nights
from orchestration.defs.resources import FETCHED_TAG, POOL, RETRIES
from orchestration.plots import stacked_bars
from orchestration.settings import load_settings

FETCHED = dg.AssetKey(["landing", "fetched_feeds"])
SEALED = dg.AssetKey(["landing", "sealed_files"])


@dg.asset(
    key=FETCHED,
    group_name="landing",
    pool=POOL,
    kinds={"file"},
    description="Every feed of the home asked for what is new, which lands as files (接入数据源). A feed that fails is named "
    "and stops nothing.",
)
def fetched_feeds() -> dg.MaterializeResult[None]:
    settings = load_settings()
    nights.hold(settings.paths)
    if FETCHED_TAG in dg.AssetExecutionContext.get().run.tags:
        runs = last_runs(settings.paths)
    else:
        runs = fetch(settings.paths, settings.as_of or date.today())
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(runs),
            "files": sum(run.n_files for run in runs),
            "failed": [f"{run.feed_id}: {run.reason_en}" for run in runs if run.outcome == "failed"],
            "content_sha256": digest([run.facts() for run in runs]),
        }
    )


@dg.asset(
    key=SEALED,
    group_name="landing",
    pool=POOL,
    deps=[FETCHED],
    retry_policy=RETRIES,
    kinds={"file"},
    description="Every file of landing sealed in the archive by its hash, with a receipt (原始文件归档). "
    "Also fixes the night's as-of date and its build id.",
)
def sealed_files() -> dg.MaterializeResult[None]:
    settings = load_settings()
    nights.hold(settings.paths)
    night, fresh = nights.begin(settings)
    by_source = Counter(item.source for item in night.receipts)
    new_by_source = Counter(item.source for item in fresh)
    sources = sorted(by_source)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(night.receipts),
            "new_files": len(fresh),
            "superseded_files": len(night.superseded),
            "bytes": sum(item.size_bytes for item in night.receipts),
            "content_sha256": digest([(item.path, item.sha256) for item in night.receipts]),
            "as_of": night.as_of.isoformat(),
            "build_id": night.build_id,
            "files_by_source": stacked_bars(
                sources,
                {
                    "kept": [by_source[s] - new_by_source[s] for s in sources],
                    "new": [new_by_source[s] for s in sources],
                },
                "sealed files by source",
            ),
        }
    )


assets = [fetched_feeds, sealed_files]
