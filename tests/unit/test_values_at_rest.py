"""Values of direct reports at rest: kept while nothing changed, read again when the register decides otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from ingestion import archive, partitions, raw, resting
from ingestion.archive import Receipt
from ingestion.checks import duckdb_columns
from ingestion.contracts.home import Home
from ingestion.load import Loaded, Rules
from ingestion.sources import SOURCES, raw_tables

HEAD = "机构代码,单位名称,报告期,状态,版次,f110,f120"
UNITS = "单位,,,,,万kWh,t"
LINES = ["X1,甲,2020000,7,1,1.5,9000", "X2,乙,2020000,7,1,2.25,800", "X3,丙,2020000,7,1,x,7"]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def deliver(home: Home, name: str, lines: list[str], on: date = date(2026, 1, 1)) -> None:
    path = home.landing / "direct_report" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([HEAD, UNITS, *lines]), encoding="utf-8")
    archive.seal(home, on)


def night(
    home: Home, rules: Rules
) -> tuple[list[Loaded], list[tuple[object, ...]], list[tuple[object, ...]]]:
    """What was loaded, the rows of the view, and the ledger with its quarantine."""
    receipts = archive.current(archive.receipts(home))
    with duckdb.connect() as con:
        room = partitions.Room(home, rules, partitions.made_from(rules, "direct_report", "1"), con)
        arrived = partitions.load_all(room, receipts)
        loaded, filed = [item.loaded for item in arrived], [item.receipt for item in arrived]
        raw.write_source(con, home, "direct_report", rules.reference, loaded, filed, [])
        rows = con.execute("from raw.direct_report__values order by all").fetchall()
        described = con.execute("describe raw.direct_report__values").fetchall()
        schema = raw_tables("direct_report", rules.reference)["values"]
        assert {name: kind for name, kind, *_ in described} == duckdb_columns(schema)
        ledger = con.execute("from raw.file_counts order by all").fetchall()
        ledger += con.execute("from raw.records order by all").fetchall()
        ledger += con.execute("from raw.quarantine order by all").fetchall()
        return loaded, rows, ledger


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths of the files that were read, not kept."""
    paths: list[str] = []
    honest = partitions.load_delivery

    def watched(receipt: Receipt, *given: object) -> object:
        paths.append(receipt.path)
        return honest(receipt, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(partitions, "load_delivery", watched)
    return paths


def test_a_return_is_read_once_and_its_account_kept(home: Home, rules: Rules, read: list[str]) -> None:
    deliver(home, "a.csv", LINES)
    first = night(home, rules)
    assert read == ["a.csv"]
    assert {(row[9], row[21], row[24]) for row in first[1]} == {
        ("X1", "110", "1.5"), ("X1", "120", "9000"), ("X2", "110", "2.25"), ("X2", "120", "800"), ("X3", "120", "7"),
    }  # fmt: skip
    assert night(home, rules)[1:] == first[1:]
    assert read == ["a.csv"]
    deliver(home, "b.csv", LINES[:1])
    assert len(night(home, rules)[1]) == 7
    assert read == ["a.csv", "b.csv"]


def test_only_editions_that_the_register_decides_about_are_read_again_when_it_changes(
    home: Home, rules: Rules, read: list[str]
) -> None:
    deliver(home, "a.csv", LINES)

    def ids(edition: str, register: set[str]) -> set[object]:
        layouts = [
            item.model_copy(update={"edition": edition}) if item.id == "direct_report.ny201_2020_f" else item
            for item in rules.layouts
        ]
        judged = Rules(layouts, rules.reference, register=frozenset(register))
        _, rows, _ = night(home, judged)
        return {row[9] for row in rows}

    assert ids("2020", {"X1"}) == ids("2020", {"X2"}) == {"X1", "X2", "X3"}
    assert len(read) == 1
    assert ids("2025", {"X1"}) == {"X1"}
    assert ids("2025", {"X1"}) == {"X1"}
    assert len(read) == 2
    assert ids("2025", {"X1", "X2"}) == {"X1", "X2"}
    assert len(read) == 3


def test_a_newer_version_takes_the_place_of_the_older_one(home: Home, rules: Rules) -> None:
    deliver(home, "a.csv", LINES)
    night(home, rules)
    deliver(home, "a.csv", LINES[:1], date(2026, 1, 2))
    assert len(night(home, rules)[1]) == 2
    (path,) = home.at_rest("values").rglob("*.parquet")
    assert path.parent.name == "received_on=2026-01-02"
    assert len(list(home.at_rest("values").rglob("*.*"))) == 2


def test_a_source_without_any_file_has_an_empty_view(home: Home, rules: Rules) -> None:
    assert night(home, rules)[1] == []


def test_a_file_whose_other_rows_stand_in_a_table_is_read_each_night(
    home: Home, rules: Rules, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(home, "a.csv", LINES)
    honest = partitions.load_delivery

    def with_institutions(receipt: Receipt, *given: object) -> object:
        found = honest(receipt, *given)  # type: ignore[arg-type]
        found[0].loaded.tables["institutions"] = pl.DataFrame(
            schema=dict.fromkeys(duckdb_columns(rules.schema("direct_report", "institutions")), pl.String)
        )
        return found

    monkeypatch.setattr(partitions, "load_delivery", with_institutions)
    night(home, rules)
    night(home, rules)
    assert read == ["a.csv", "a.csv"]
    assert not list(home.at_rest("values").rglob("_*.json"))


def test_a_partition_is_whole_or_not_there(home: Home, rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(home, "a.csv", LINES)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            night(home, rules)
    assert not list(home.at_rest("values").rglob("*.parquet"))
    assert len(night(home, rules)[1]) == 5


def test_columns_of_one_text_or_of_none_are_what_they_were(tmp_path: Path, rules: Rules) -> None:
    schema = rules.schema("direct_report", "values")
    rows = pl.DataFrame(
        {"file_id": "f", "edition": ["1", "2", "1"], "sheet": None, "institution_id": ["", "", ""],
         "region_code": [None, "3", None], "form_code": ["a", None, "a"], "row_number": [1, 2, 3]},
    )  # fmt: skip
    kinds = {
        name: pl.Int32 if kind == "INTEGER" else pl.String for name, kind in duckdb_columns(schema).items()
    }
    given = [pl.col(name) if name in rows.columns else pl.lit(None).alias(name) for name in kinds]
    rows = rows.select(given).cast(kinds)  # type: ignore[arg-type]
    for some in (rows, rows.clear(), rows.head(1)):
        with duckdb.connect() as con:
            resting.write(con, schema, some, tmp_path / "a.parquet")
            assert con.execute(f"from '{tmp_path}/a.parquet'").fetchall() == some.rows()
            described = con.execute(f"describe from '{tmp_path}/a.parquet'").fetchall()
            assert {name: kind for name, kind, *_ in described} == duckdb_columns(schema)


_WRITE = """
import sys, duckdb, polars as pl
from pathlib import Path
from ingestion import resting
from ingestion.checks import duckdb_columns
from ingestion.reference import load_reference
from ingestion.sources import raw_tables
schema = raw_tables("direct_report", load_reference())["values"]
n = 300_000
rows = pl.DataFrame({"row_number": pl.int_range(n, eager=True, dtype=pl.Int32)}).with_columns(
    (pl.col("row_number").cast(pl.String) if kind == "VARCHAR" else pl.col("row_number") % 9).alias(name)
    for name, kind in duckdb_columns(schema).items() if name != "row_number")
resting.write(duckdb.connect(), schema, rows, Path(sys.argv[1]))
"""


def test_any_number_of_threads_writes_the_same_bytes(checkout: Path, tmp_path: Path) -> None:
    written = []
    for threads in ("1", "2"):
        path = tmp_path / f"{threads}.parquet"
        given = {**os.environ, "POLARS_MAX_THREADS": threads}
        subprocess.run([sys.executable, "-c", _WRITE, str(path)], cwd=checkout, env=given, check=True)
        written.append(path.read_bytes())
    assert written[0] == written[1]
    assert pl.read_parquet(tmp_path / "1.parquet")["row_number"].to_list() == list(range(300_000))


def test_what_rests_is_said_by_the_raw_tables(rules: Rules) -> None:
    resting_targets = {
        (source, target)
        for source in SOURCES
        for target, schema in rules.schemas(source).items()
        if resting.columns(schema) is not None
    }
    assert resting_targets == {("direct_report", "values"), ("metering", "readings")}
