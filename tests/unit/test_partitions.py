"""Partitions of readings: kept while nothing changed, made again when something did, and the same bytes each time."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zipfile
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion import archive, partitions, raw
from ingestion.archive import Receipt
from ingestion.contracts.home import Home
from ingestion.deliveries import Arrived
from ingestion.load import Rules
from ingestion.streaming import large

HEAD = "building_code,item_code,start_time,end_time,value,unit"
LINES = [
    f"B1,01000,2021-01-{day:02}T{hour:02}:00:00,2021-01-{day:02}T{hour:02}:59:59,{day}.{hour:02},kWh"
    for day in range(1, 29)
    for hour in range(24)
]
BAD = ["B1,01000,2021-02-01T00:00:00,2021-02-01T00:59:59,-1,kWh", "B1,01000,昨天,2021-02-01T01:59:59,1,kWh"]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture(params=["whole", "streamed"])
def _road(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "FROM_BYTES", 0 if request.param == "streamed" else 1 << 40)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def deliver(home: Home, name: str, text: str, on: date = date(2026, 1, 1)) -> Receipt:
    path = home.landing / "metering" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    archive.seal(home, on)
    return archive.current(archive.receipts(home))[-1]


def load_all(
    con: duckdb.DuckDBPyConnection, home: Home, rules: Rules, receipts: list[Receipt], code: str = "1"
) -> list[Arrived]:
    made_from = partitions.made_from(rules, "metering", code)
    return partitions.load_all(partitions.Room(home, rules, made_from, con), receipts)


def account(arrived: list[Arrived]) -> list[object]:
    return [
        (
            item.loaded.delivery,
            item.loaded.layout,
            item.loaded.n_rows,
            item.loaded.counts,
            item.loaded.quarantine.rows(),
            item.loaded.notes.rows(),
            item.loaded.records.rows(),
            item.loaded.n_value_cells,
            item.loaded.tables["readings"].schema,
        )
        for item in arrived
    ]


def stored(home: Home) -> dict[str, bytes]:
    return {
        str(path.relative_to(home.root)): path.read_bytes()
        for path in home.at_rest("readings").rglob("*.parquet")
    }


def never(*_: object) -> None:
    raise AssertionError("an unchanged partition is not made again")


@pytest.mark.usefixtures("_road")
def test_an_unchanged_partition_is_kept_and_a_changed_one_made_again(
    con: duckdb.DuckDBPyConnection, home: Home, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = deliver(home, "a.csv", "\n".join([HEAD, *LINES, *BAD]))
    first = load_all(con, home, rules, [receipt])
    assert first[0].loaded.counts == {
        "record": {"n_read": 675, "n_loaded": 672, "n_quarantined": 2, "n_ignored": 1}
    }
    bytes_before = stored(home)
    assert list(bytes_before) == [
        f"readings/source=metering/received_on=2026-01-01/{receipt.file_id}.parquet"
    ]
    with monkeypatch.context() as patched:
        patched.setattr(large, "load_large", never)
        patched.setattr(partitions, "load_delivery", never)
        assert account(load_all(con, home, rules, [receipt])) == account(first)
        with pytest.raises(AssertionError, match="not made again"):
            load_all(con, home, rules, [receipt], code="2")
        changed = [
            item.model_copy(update={"edition": "9"}) if item.id == "metering.intervals_csv" else item
            for item in rules.layouts
        ]
        with pytest.raises(AssertionError, match="not made again"):
            load_all(con, home, Rules(changed, rules.reference), [receipt])
    assert account(load_all(con, home, rules, [receipt], code="2")) == account(first)
    assert stored(home) == bytes_before


@pytest.mark.usefixtures("_road")
@pytest.mark.parametrize("damage", ["partition", "note", "all", "foreign bytes"])
def test_what_is_lost_or_damaged_is_made_again_with_the_same_bytes(
    con: duckdb.DuckDBPyConnection, home: Home, rules: Rules, damage: str
) -> None:
    receipt = deliver(home, "a.csv", "\n".join([HEAD, *LINES, *BAD]))
    first = load_all(con, home, rules, [receipt])
    before = stored(home)
    (path,) = home.at_rest("readings").rglob("*.parquet")
    (note,) = home.at_rest("readings").rglob("_*.json")
    if damage in ("partition", "all"):
        path.unlink()
    if damage in ("note", "all"):
        note.unlink()
    if damage == "foreign bytes":
        path.write_bytes(path.read_bytes()[:-9])
    assert account(load_all(con, home, rules, [receipt])) == account(first)
    assert stored(home) == before
    assert (
        json.loads(note.read_text(encoding="utf-8"))["at_rest"]["readings"]["sha256"]
        == hashlib.sha256(path.read_bytes()).hexdigest()
    )


def test_both_roads_and_any_number_of_threads_give_the_same_rows(
    home: Home, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = deliver(home, "a.csv", "\n".join([HEAD, *LINES * 40, *BAD]))
    found = {}
    for limit, threads in ((0, 1), (0, 2), (1 << 40, 2)):
        monkeypatch.setattr(large, "FROM_BYTES", limit)
        with duckdb.connect(config={"threads": threads}) as con:
            (arrived,) = load_all(con, home, rules, [receipt], code=f"{limit}{threads}")
            assert "readings" in arrived.loaded.at_rest
            path = arrived.loaded.at_rest["readings"].path
            found[(limit, threads)] = (
                con.execute(f"select * from '{path}'").fetchall(),
                path.read_bytes() if limit == 0 else b"",
            )
    assert found[(0, 1)] == found[(0, 2)]
    assert found[(0, 1)][0] == found[(1 << 40, 2)][0]
    assert len(found[(0, 1)][0]) == 672 * 40


def test_a_newer_version_takes_the_place_of_the_older_ones_partition(
    con: duckdb.DuckDBPyConnection, home: Home, rules: Rules
) -> None:
    old = deliver(home, "a.csv", "\n".join([HEAD, *LINES]))
    write(con, home, rules, load_all(con, home, rules, [old]))
    assert len(stored(home)) == 1
    newer = deliver(home, "a.csv", "\n".join([HEAD, *LINES[:10]]), date(2026, 1, 2))
    assert newer.version == 2
    write(con, home, rules, load_all(con, home, rules, [newer]))
    assert list(stored(home)) == [f"readings/source=metering/received_on=2026-01-02/{newer.file_id}.parquet"]
    assert len(list(home.at_rest("readings").rglob("*.json"))) == 1
    assert con.execute("select count(*) from raw.metering__readings").fetchall() == [(10,)]


def write(con: duckdb.DuckDBPyConnection, home: Home, rules: Rules, arrived: list[Arrived]) -> None:
    loaded = [item.loaded for item in arrived]
    raw.write_source(con, home, "metering", rules.reference, loaded, [item.receipt for item in arrived], [])


def test_a_file_is_copied_as_it_is_read_and_once(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    honest = Path.open

    def counted(path: Path, mode: str = "r", **more: object) -> object:
        if path.is_relative_to(home.landing):
            opened.append(path.name)
        return honest(path, mode, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", counted)
    receipt = deliver(home, "a.csv", "甲" * 1_000_000)
    opened.remove("a.csv")  # written by the test itself
    assert opened == ["a.csv"]
    assert archive.read_sealed(home, receipt.sha256) == ("甲" * 1_000_000).encode()
    assert deliver(home, "a.csv", "甲" * 1_000_000) == receipt
    assert [path.name for path in (home.archive / "objects").iterdir()] == [receipt.sha256[:2]]


def test_a_file_that_changes_while_it_is_copied_waits_for_the_next_night(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home.landing / "metering" / "a.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"1" * 10)
    honest = os.fsync

    def growing(descriptor: int) -> None:
        with path.open("ab") as handle:
            handle.write(b"2")
        honest(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", growing)
        assert archive.seal(home, date(2026, 1, 1)) == []
    assert archive.receipts(home) == []
    (receipt,) = archive.seal(home, date(2026, 1, 2))
    assert archive.read_sealed(home, receipt.sha256) == b"1" * 10 + b"2"


def test_what_a_killed_seal_left_is_in_nobodys_way(home: Home) -> None:
    leftover = home.archive / "objects" / ".incoming"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half a file")
    leftover.chmod(0o444)
    receipt = deliver(home, "a.csv", HEAD)
    assert archive.read_sealed(home, receipt.sha256) == HEAD.encode()
    assert not leftover.exists()


def test_an_object_is_hashed_again_once_anybody_has_touched_it(home: Home) -> None:
    receipt = deliver(home, "a.csv", HEAD)
    path = archive.object_path(home, receipt.sha256)
    assert archive.is_untouched(path, receipt.sha256)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().swapcase())
    assert not archive.is_untouched(path, receipt.sha256)
    assert not archive.is_untouched(path, "0" * 64)


def test_files_sealed_side_by_side_keep_their_order_and_their_bytes(home: Home) -> None:
    folder = home.landing / "metering"
    folder.mkdir(parents=True)
    for number in range(20):
        (folder / f"{number:02}.csv").write_bytes(bytes([number % 7]) * (3 << 20 if number % 3 else 10))
    sealed = archive.seal(home, date(2026, 1, 1))
    assert [item.path for item in sealed] == [f"{number:02}.csv" for number in range(20)]
    for number, item in enumerate(sealed):
        assert archive.read_sealed(home, item.sha256) == (folder / f"{number:02}.csv").read_bytes()
    assert not list((home.archive / "objects").glob(".*"))


@pytest.mark.parametrize("name", ["a.zip", "a.csv.gz"])
def test_large_files_in_wrappings_are_streamed_like_the_files_themselves(
    con: duckdb.DuckDBPyConnection, home: Home, rules: Rules, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    text = "\n".join([HEAD, *LINES, *BAD]).encode()
    path = home.landing / "metering" / name
    path.parent.mkdir(parents=True)
    if name == "a.zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("a.csv", text)
            packed.writestr("b.csv", HEAD + "\n" + LINES[0])
    else:
        path.write_bytes(gzip.compress(text))
    (receipt,) = archive.seal(home, date(2026, 1, 1))
    assert receipt.size_bytes < 10_000
    seen = []
    real = large.load_large

    def watched(*given: Any) -> Any:
        seen.append(given[1].path)
        return real(*given)

    monkeypatch.setattr(large, "load_large", watched)
    monkeypatch.setattr(large, "FROM_BYTES", 10_000)
    arrived = load_all(con, home, rules, [receipt])
    assert seen == ["a.zip!a.csv" if name == "a.zip" else "a.csv.gz"]
    (found,) = [item.loaded for item in arrived if item.loaded.delivery.path in seen]
    assert found.counts == {"record": {"n_read": 675, "n_loaded": 672, "n_quarantined": 2, "n_ignored": 1}}
    assert "readings" in found.at_rest
    path_at_rest = found.at_rest["readings"].path
    assert con.execute(f"select count(*), sum(amount) from '{path_at_rest}'").fetchone() == (
        672,
        sum(Decimal(line.split(",")[4]) for line in LINES),
    )
    kept = {item.loaded.at_rest["readings"].path for item in arrived if item.loaded.at_rest}
    noted = {path.with_name(f"_{path.stem}.json") for path in kept} if name != "a.zip" else set()
    assert set(home.at_rest("readings").rglob("*.*")) == kept | noted
