"""The loader's side of the row ledger is counted in the warehouse, so a row lost on the way shows."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from ingestion import archive, raw
from ingestion.account import Delivery
from ingestion.contracts.home import Home
from ingestion.deliveries import load_delivery
from ingestion.load import Loaded, Rules, load

FILES = [
    ("registers", "institutions.csv"),
    ("registers", "buildings.csv"),
    ("direct_report", "NY101_2021.csv"),
    ("direct_report", "NY201_2021_f.csv"),
    ("direct_report", "NY201_2021_rowdata.json"),
    ("metering", "registers_2021.csv"),
    ("metering", "Build.xml"),
    ("metering", "310118_20211201_Energy.xml"),
]


def deliver(checkout: Path, home: Home, source: str, name: str) -> archive.Receipt:
    target = home.landing / source / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes((checkout / "examples/district/clean/landing" / source / name).read_bytes())
    archive.seal(home, date(2026, 1, 1))
    return next(item for item in archive.receipts(home) if item.path == name)


def balance(con: duckdb.DuckDBPyConnection) -> list[tuple[str, int]]:
    return con.execute(
        "select unit, n_read - n_loaded - n_quarantined - n_ignored from raw.file_counts order by unit"
    ).fetchall()


@pytest.mark.parametrize(("source", "name"), FILES)
@pytest.mark.parametrize("n_lost", [0, 1])
def test_the_ledger_sees_one_lost_row(
    checkout: Path, tmp_path: Path, rules: Rules, source: str, name: str, n_lost: int
) -> None:
    home = Home(tmp_path)
    receipt = deliver(checkout, home, source, name)
    found = load(Delivery(receipt.file_id, source, name), archive.read_sealed(home, receipt.sha256), rules)
    assert found.refusal is None
    if n_lost:
        _lose_a_record(found)
    with duckdb.connect() as con:
        con.execute("create schema raw")
        con.execute("create table raw.registers__institutions (institution_id varchar)")
        raw.write_source(con, home, source, rules.reference, [found], [receipt], [])
        gaps = balance(con)
    assert gaps
    assert all((gap > 0) == bool(n_lost) for _, gap in gaps)


def _lose_a_record(found: Loaded) -> None:
    """What a bug in a join or a filter would do: rows go, the account of them stays."""
    assert found.layout is not None
    rows = found.rows
    key = "line" if "line" in rows.columns else "row_number"
    last = rows[key].max()
    found.tables[found.layout.target] = rows.filter(rows[key] != last)
    if "value_text" in rows.columns:
        found.records = found.records.filter(found.records["row_number"] != last)


@pytest.mark.parametrize("n_lost", [0, 1])
def test_the_ledger_sees_one_lost_member(checkout: Path, tmp_path: Path, rules: Rules, n_lost: int) -> None:
    home = Home(tmp_path)
    receipt = deliver(checkout, home, "metering", "310118_20211231.zip")
    arrived = load_delivery(receipt, archive.read_sealed(home, receipt.sha256), rules)
    assert [item.loaded.refusal for item in arrived] == [None, None]
    kept = arrived[: len(arrived) - n_lost]
    with duckdb.connect() as con:
        filed = [item.receipt for item in kept]
        raw.write_source(con, home, "metering", rules.reference, [item.loaded for item in kept], filed, [])
        gaps = dict(balance(con))
    assert gaps["member"] == n_lost
