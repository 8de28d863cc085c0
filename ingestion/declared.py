"""What the profile and the home declare about sources and frozen years, as raw tables.

Belongs here: precedence and its overrides, silence windows, frozen years and restatements: their columns and their rows, and
that they name carriers there are. Does not belong here: what they mean (SQL), reading their files (orchestration).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable

import duckdb

from ingestion import raw
from ingestion.contracts.freezing import FrozenYear, Restatement
from ingestion.contracts.messages import Message, Refusal
from ingestion.contracts.precedence import PrecedenceOverride
from ingestion.contracts.profile import RegionProfile
from ingestion.reference import SEEDS

_PRECEDENCE = """precedence_id VARCHAR, region_code VARCHAR, carrier VARCHAR, source_rank INTEGER, place_in_rank INTEGER,
    source VARCHAR, tolerance_share VARCHAR, document VARCHAR"""
_OVERRIDES = """override_id VARCHAR, institution_id VARCHAR, carrier VARCHAR, year INTEGER, source VARCHAR, expect_text VARCHAR,
    reason VARCHAR, reviewer VARCHAR, expires_on DATE"""
_FROZEN = "year INTEGER, frozen_on DATE, reason VARCHAR, reviewer VARCHAR"
_RESTATEMENTS = "institution_id VARCHAR, year INTEGER, file_id VARCHAR, reason VARCHAR, reviewer VARCHAR"


def write_precedence(
    con: duckdb.DuckDBPyConnection, profile: RegionProfile, overrides: Iterable[PrecedenceOverride] = ()
) -> None:
    """Which source counts, in general and for single keys, and how long values may come in."""
    precedence = [
        (
            rule.id, rule.region or profile.region, carrier, rank, place, source,
            None if rule.tolerance_share is None else f"{rule.tolerance_share:f}", rule.document,
        )
        for rule in profile.precedence
        for carrier in rule.carriers
        for rank, sources in enumerate(rule.ranks, 1)
        for place, source in enumerate(sources, 1)
    ]  # fmt: skip
    raw.write_table(con, "profile_precedence", _PRECEDENCE, precedence)
    raw.write_table(
        con,
        "profile_silence_windows",
        "source VARCHAR, days INTEGER",
        [(item.source, item.days) for item in profile.silence_windows],
    )
    raw.write_table(
        con,
        "precedence_overrides",
        _OVERRIDES,
        [
            (
                item.id, item.institution, item.carrier, item.year, item.source,
                None if item.expect is None else f"{item.expect:f}", item.reason, item.reviewer, item.expires_on,
            )
            for item in overrides
        ],
    )  # fmt: skip


def write_freezing(
    con: duckdb.DuckDBPyConnection,
    frozen: Iterable[FrozenYear] = (),
    restatements: Iterable[Restatement] = (),
) -> None:
    """Years that are signed off, and what may move them."""
    raw.write_table(
        con,
        "frozen_years",
        _FROZEN,
        [(item.year, item.frozen_on, item.reason, item.reviewer) for item in frozen],
    )
    raw.write_table(
        con,
        "restatements",
        _RESTATEMENTS,
        [(item.institution, item.year, item.file, item.reason, item.reviewer) for item in restatements],
    )


def check_carriers(profile: RegionProfile, overrides: Iterable[PrecedenceOverride]) -> None:
    """Raises Refusal naming each precedence that is about a carrier there is not."""
    with (SEEDS / "codes" / "carriers.csv").open(encoding="utf-8", newline="") as handle:
        known = {row["carrier"] for row in csv.DictReader(handle)}
    named = [(rule.id, carrier) for rule in profile.precedence for carrier in rule.carriers]
    named += [(item.id, item.carrier) for item in overrides]
    wrong = ", ".join(f"{name}: {carrier}" for name, carrier in named if carrier not in known)
    if wrong:
        raise Refusal(
            "unknown_carrier",
            Message(
                f"取值次序中有未知的能源品种: {wrong}", f"a precedence names an unknown carrier: {wrong}"
            ),
            Message(f"可用: {', '.join(sorted(known))}", f"known: {', '.join(sorted(known))}"),
        )
