"""The raw room: sealed files become located text, by source. One asset per folder of ingestion.sources."""

from __future__ import annotations

from typing import Any

import dagster as dg
import polars as pl

from ingestion import declared, matched, partitions, raw, sender_receipts
from ingestion.contracts import factors
from ingestion.contracts.identity import digest
from ingestion.contracts.messages import Message, Refusal
from ingestion.feeds import run as feeds
from ingestion.layouts import reading
from ingestion.load import Loaded, Rules
from ingestion.matching.settling import Matching
from ingestion.reference import load_reference
from ingestion.sources import SOURCES
from orchestration import night as nights
from orchestration.defs.landing import SEALED
from orchestration.defs.resources import POOL, RETRIES, writer
from orchestration.plots import stacked_bars
from orchestration.reading_room import reading_room
from orchestration.settings import load_settings

DECLARATIONS = dg.AssetKey(["raw", "declarations"])
ACCOUNTS = dg.AssetKey(["raw", "accounts"])
REGISTERS = dg.AssetKey(["raw", "registers"])


def source_key(source: str) -> dg.AssetKey:
    return dg.AssetKey(["raw", source])


@dg.asset(
    key=DECLARATIONS,
    group_name="raw",
    pool=POOL,
    deps=[SEALED],
    kinds={"duckdb", "yaml"},
    description="Region profile, calendar and build facts as tables (区域配置与声明); starts a fresh warehouse.",
)
def declarations() -> dg.MaterializeResult[None]:
    settings = load_settings()
    night = nights.resume(settings)
    for suffix in ("", ".wal"):
        settings.paths.warehouse.with_name(settings.paths.warehouse.name + suffix).unlink(missing_ok=True)
    profile = night.declarations.profile
    with writer(settings) as con:
        raw.prepare(con)
        raw.write_table(
            con,
            "build",
            "build_id VARCHAR, as_of DATE, fingerprint VARCHAR, code_version VARCHAR, profile_id VARCHAR",
            [(night.build_id, night.as_of, night.fingerprint, night.declarations.code_version, profile.id)],
        )
        scalars = {
            "region_code": profile.region,
            "region_name_zh": profile.root.name_zh,
            "region_name_en": profile.root.name_en,
            "region_level": profile.root.level,
            **{
                name: ", ".join(value) if isinstance(value, tuple) else str(value)
                for name, value in profile.method
            },
        }
        raw.write_table(con, "profile", "key VARCHAR, value VARCHAR", list(scalars.items()))
        raw.write_table(
            con,
            "profile_regions",
            "region_code VARCHAR, region_name_zh VARCHAR, region_name_en VARCHAR, region_level VARCHAR, parent_code VARCHAR, is_in_scope VARCHAR",
            [
                (r.code, r.name_zh, r.name_en, r.level, r.parent, str(r.is_in_scope).lower())
                for r in profile.regions
            ],
        )
        raw.write_table(
            con,
            "profile_region_groups",
            "group_code VARCHAR, group_name_zh VARCHAR, group_name_en VARCHAR, member_code VARCHAR, valid_from DATE, valid_to DATE, source VARCHAR",
            [
                (g.code, g.name_zh, g.name_en, m.region, m.valid_from, m.valid_to, m.source)
                for g in profile.groups
                for m in g.members
            ],
        )
        raw.write_table(
            con,
            "profile_factors",
            "year INTEGER, purpose VARCHAR, factor_id VARCHAR",
            [(item.year, item.purpose, item.factor_id) for item in profile.stand_ins],
        )
        raw.write_table(
            con,
            "factors",
            ", ".join(f"{name} {kind}" for name, kind in factors.COLUMNS.items()),
            [row.as_row() for row in night.declarations.registry.home],
        )
        raw.write_table(
            con,
            "profile_uncertainties",
            "uncertainty_id VARCHAR, factor_id VARCHAR, minus_pct VARCHAR, plus_pct VARCHAR, distribution VARCHAR, source VARCHAR",
            [
                (
                    u.uncertainty_id,
                    u.factor_id,
                    f"{u.minus_pct:f}",
                    f"{u.plus_pct:f}",
                    u.distribution,
                    u.source,
                )
                for u in profile.uncertainties
            ],
        )
        raw.write_table(
            con,
            "profile_windows",
            "source VARCHAR, year INTEGER, due_on DATE, closes_on DATE",
            [(item.source, item.year, item.due_on, item.closes_on) for item in profile.windows],
        )
        raw.write_table(
            con,
            "reading_rules",
            reading.COLUMNS,
            reading.rows((layout.id, layout.readings) for layout in night.declarations.layouts),
        )
        said = night.declarations
        declared.write_precedence(con, profile, said.overrides)
        declared.write_freezing(con, said.frozen, said.restatements)
        raw.write_table(con, "feed_runs", feeds.RAW_COLUMNS, feeds.raw_rows(night.feed_runs))
        strangers = [item for item in night.receipts if item.source not in SOURCES]
        raw.refuse_files(
            con,
            strangers,
            Refusal(
                "unknown_source",
                Message("收件目录下没有这种来源: {source}", "landing has no source of this name: {source}"),
                Message(f"请放入 {', '.join(SOURCES)} 之一", f"put it into one of {', '.join(SOURCES)}"),
            ),
        )
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(scalars),
            "profile": profile.id,
            "as_of": night.as_of.isoformat(),
            "build_id": night.build_id,
            "content_sha256": digest(night.declarations.seals),
        }
    )


def _source_asset(source: str) -> dg.AssetsDefinition:
    deps = [DECLARATIONS] if source == "registers" else [DECLARATIONS, REGISTERS]

    @dg.asset(
        key=source_key(source),
        group_name="raw",
        pool=POOL,
        deps=deps,
        retry_policy=RETRIES,
        kinds={"duckdb", "polars"},
        description=f"Files of source {source}: recognised by layout, read to located text, validated by pandera, "
        "accounted in the row ledger; what cannot be used is quarantined with its reason (原始数据).",
    )
    def _raw_source() -> dg.MaterializeResult[None]:
        settings = load_settings()
        night = nights.resume(settings)
        with writer(settings) as con:
            loaded = load_source(night, con, source)
        return dg.MaterializeResult(metadata=_metadata(source, loaded))

    return _raw_source


def load_source(night: nights.Night, con: object, source: str) -> list[Loaded]:
    """Read every current file of one source and write its raw tables."""
    reference = load_reference()
    receipts = [item for item in night.receipts if item.source == source]
    rules = Rules(
        layouts=night.declarations.layouts,
        reference=reference,
        corrections=night.declarations.corrections,
        codes=night.declarations.codes,
        matching=_matching(night, con, source),
        register_decides_from_edition=night.declarations.profile.method.register_decides_from_edition,
        register=frozenset() if source == "registers" else raw.registered(con),  # type: ignore[arg-type]
    )
    made_from = partitions.made_from(rules, source, night.declarations.seals["code and seeds"])
    with reading_room(night.settings, night.home.night / "spill") as room:
        arrived = partitions.load_all(partitions.Room(night.home, rules, made_from, room), receipts)
    loaded = [file.loaded for file in arrived]
    superseded = [item for item in night.superseded if item.source == source]
    filed = [file.receipt for file in arrived]
    raw.write_source(con, night.home, source, reference, loaded, filed, superseded)  # type: ignore[arg-type]
    sender_receipts.write(night.home, zip(filed, loaded, strict=True), superseded)
    return loaded


def _matching(night: nights.Night, con: object, source: str) -> Matching | None:
    """The register of tonight, where a layout of the source finds institutions by what they are called."""
    layouts = [item for item in night.declarations.layouts if item.source == source]
    if not any(spec.institution_found_by for layout in layouts for spec in layout.tables):
        return None
    regions = [(item.code, item.name_zh) for item in night.declarations.profile.regions]
    return matched.matching(con, regions, night.declarations.matches)  # type: ignore[arg-type]


def _metadata(source: str, loaded: list[Loaded]) -> dict[str, Any]:
    shown = loaded[:30]
    hashes = pl.DataFrame([item.delivery.file_id for item in loaded], schema=["file_id"])
    return {
        "dagster/row_count": sum(item.n_rows for item in loaded),
        "files": len(loaded),
        "refused": [f"{item.delivery.path}: {item.refusal.reason.en}" for item in loaded if item.refusal],
        "quarantined": sum(item.quarantine.height for item in loaded),
        "content_sha256": digest(sorted(hashes["file_id"].to_list())),
        "rows_by_file": stacked_bars(
            [item.delivery.path.rsplit("/", 1)[-1][:40] for item in shown] or ["-"],
            {
                "loaded": [item.n_rows for item in shown] or [0],
                "quarantined": [item.quarantine.height for item in shown] or [0],
            },
            f"{source}: rows by file",
            log=True,
        ),
    }


@dg.asset(
    key=ACCOUNTS,
    group_name="raw",
    pool=POOL,
    deps=[source_key(source) for source in SOURCES],
    kinds={"duckdb"},
    description="What was read, loaded, quarantined and ignored, by file (行级台账的原始计数), and which corrections applied.",
)
def accounts() -> dg.MaterializeResult[None]:
    settings = load_settings()
    night = nights.resume(settings)
    with writer(settings) as con:
        raw.write_corrections(con, night.declarations.corrections)
        raw.write_codes(con, night.declarations.codes)
        matched.write_decisions(con, night.declarations.matches)
        rows = con.execute(
            "select unit, sum(n_read), sum(n_loaded), sum(n_quarantined), sum(n_ignored) from raw.file_counts group by unit order by unit"
        ).fetchall()
        refused = con.execute("select count(*) from raw.files where outcome = 'refused'").fetchall()[0][0]
        content = con.execute(
            "select file_id, unit, n_read, n_loaded from raw.file_counts order by all"
        ).fetchall()
    units = [row[0] for row in rows] or ["-"]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": int(sum(row[1] for row in rows)),
            "refused_files": refused,
            "content_sha256": digest(content),
            "where_rows_went": stacked_bars(
                units,
                {
                    "loaded": [int(row[2]) for row in rows] or [0],
                    "ignored by rule": [int(row[4]) for row in rows] or [0],
                    "quarantined": [int(row[3]) for row in rows] or [0],
                },
                "where records and cells went",
            ),
        }
    )


assets = [declarations, *[_source_asset(source) for source in SOURCES], accounts]
