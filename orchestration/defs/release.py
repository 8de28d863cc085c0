"""The release room: what the gate passed becomes a folder that people read, switched in one rename.

The step verifies the verdict of this build itself, because an asset check blocks only inside its own run:
started by hand with a forged, an older or another build's verdict it refuses.
"""

from __future__ import annotations

import dagster as dg

from exports.current import plan_release
from exports.dictionary import load_dictionary
from exports.manifest import BuildFacts, VerdictFacts
from exports.messages import ExportError
from exports.release import PublishedRelease, publish
from orchestration import night as nights
from orchestration.dbt_build import MANIFEST
from orchestration.defs.gate import VERDICT
from orchestration.defs.resources import POOL, writer
from orchestration.plots import stacked_bars
from orchestration.settings import Settings, load_settings
from quality.catalogue import load_catalogue
from quality.verdict import VerdictRefused, read_verdict, verify_verdict
from quality.waivers import load_waivers

RELEASE = dg.AssetKey(["release", "current"])


def publish_build(settings: Settings) -> PublishedRelease:
    """Publish the candidate of the night in `settings`' home. Raises VerdictRefused or ExportError.

    What the verdict's file says is believed by nobody: `publish` has it confirmed before and after it writes.
    """
    night = nights.resume(settings)
    catalogue = load_catalogue()
    waivers = load_waivers(night.home.waivers, catalogue)
    with writer(settings) as con:
        said = read_verdict(night.home.verdict)

        def confirm() -> None:
            if verify_verdict(con, night.home.verdict, catalogue, waivers, night.build_id) != said:
                raise VerdictRefused(
                    "inconsistent", "结论文件在发布过程中有变化。", "the verdict file changed meanwhile."
                )

        if said.outcome != "pass":
            confirm()
        plan = plan_release(night.home.root, night.as_of, night.fingerprint)
        facts = VerdictFacts(outcome=said.outcome, n_fail=said.n_fail, n_warn=said.n_warn, digest=said.digest)
        code = night.declarations.code_version
        _write_release_row(con, night, plan.release_id, plan.parent_release_id, facts)
        return publish(
            con,
            night.home.root,
            load_dictionary(MANIFEST),
            BuildFacts(
                as_of=night.as_of, code_version=code, fingerprint=night.fingerprint, build_id=night.build_id
            ),
            night.inputs(),
            night.sealed_declarations(),
            facts,
            {"data_docs": night.home.night / "data_docs"},
            confirm,
        )


_OF_METHOD = ("method_id", "document", "document_no", "status", "evidence", "valid_from", "known_since")


def _write_release_row(
    con: object, night: nights.Night, release_id: str, parent: str | None, facts: VerdictFacts
) -> None:
    import duckdb

    declared = night.declarations
    method = declared.registry.method(declared.profile.method.accounting_method)
    counts = con.execute(  # type: ignore[attr-defined]
        "select count(distinct factor_id), count(distinct factor_id) filter (where status = 'unconfirmed') from marts.factor_used"
    ).fetchall()[0]
    con.execute("create schema if not exists gate")  # type: ignore[attr-defined]
    con.execute(  # type: ignore[attr-defined]
        """create or replace table gate.release (release_id VARCHAR, parent_release_id VARCHAR, as_of DATE,
        code_version VARCHAR, fingerprint VARCHAR, verdict VARCHAR, verdict_digest VARCHAR, n_fail BIGINT,
        n_warn BIGINT, engine_version VARCHAR, method_id VARCHAR, method_document VARCHAR, method_document_no VARCHAR,
        method_status VARCHAR, method_evidence VARCHAR, method_valid_from DATE, method_known_since DATE,
        n_factors_used BIGINT, n_factors_unconfirmed BIGINT)"""
    )
    con.execute(  # type: ignore[attr-defined]
        "insert into gate.release values (" + ", ".join("?" * 19) + ")",
        [
            release_id,
            parent,
            night.as_of,
            night.declarations.code_version,
            night.fingerprint,
            facts.outcome,
            facts.digest,
            facts.n_fail,
            facts.n_warn,
            f"DuckDB {duckdb.__version__}",
            *(method[name] for name in _OF_METHOD),
            *counts,
        ],
    )


@dg.asset(
    key=RELEASE,
    group_name="release",
    pool=POOL,
    deps=[VERDICT],
    kinds={"duckdb", "parquet"},
    description="The published release (发布): inventory.duckdb, Parquet by region and year, manifest, Data Docs. "
    "Immutable; `current` is switched in one rename.",
)
def current() -> dg.MaterializeResult[None]:
    settings = load_settings()
    try:
        release = publish_build(settings)
    except (VerdictRefused, ExportError) as refused:
        raise dg.Failure(f"{refused.text.zh} / {refused.text.en}", allow_retries=False) from refused
    tables = release.manifest.tables
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(table.n_rows for table in tables),
            "release_id": release.release_id,
            "folder": dg.MetadataValue.path(str(release.path)),
            "is_identical": release.is_identical,
            "content_sha256": {table.name: table.content_sha256 for table in tables},
            "bytes": sum(item.size_bytes for item in release.manifest.outputs),
            "rows_by_table": stacked_bars(
                [t.name for t in tables], {"rows": [t.n_rows for t in tables]}, "published rows", log=True
            ),
        }
    )


assets = [current]
