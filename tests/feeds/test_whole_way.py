"""From an address to figures: what a feed gave stands in raw as a file would have, the night names what failed."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from feed_home import AS_OF, FeedHome
from servers import Asked, Endpoint, Postgres, paged

from ingestion import archive, raw
from ingestion.contracts.home import Home
from ingestion.deliveries import load_delivery
from ingestion.load import Rules
from orchestration import cli
from orchestration import night as nights
from orchestration.run_night import activate
from orchestration.settings import Settings, load_settings
from quality.catalogue import load_catalogue
from quality.runner import evaluate

TOKEN = "tok-9f8e7d6c5b4a"


def raw_rows(home: Home, source: str, table: str, rules: Rules) -> list[tuple[Any, ...]]:
    """Seal landing, load everything, and read one raw table without the place where a value stood."""
    archive.seal(home, AS_OF)
    receipts = archive.current(archive.receipts(home))
    arrived = [
        file
        for item in receipts
        for file in load_delivery(item, archive.read_sealed(home, item.sha256), rules)
    ]
    with duckdb.connect() as con:
        raw.prepare(con)
        con.execute("create table raw.registers__institutions (institution_id varchar)")
        raw.write_source(con, home, source, rules.reference, [file.loaded for file in arrived], [file.receipt for file in arrived], [])  # fmt: skip
        assert con.execute("select outcome, count(*) from raw.files group by 1").fetchall() == [
            ("loaded", len(receipts))
        ]
        assert con.execute(
            "select sum(n_read - n_loaded - n_quarantined - n_ignored) from raw.file_counts"
        ).fetchall() == [(0,)]
        places = "file_id, line" if table == "readings" else "file_id, row_number, column_number"
        return con.execute(f"select * exclude ({places}) from raw.{source}__{table} order by all").fetchall()


def as_file(checkout: Path, tmp_path: Path, source: str, name: str, data: bytes) -> Home:
    home = Home(tmp_path / "by_file")
    target = home.landing / source / name
    target.parent.mkdir(parents=True)
    target.write_bytes(data)
    return home


@pytest.mark.parametrize("is_incremental", [False, True])
def test_pages_of_an_endpoint_are_the_file_they_would_have_been(
    feed_home: FeedHome, server: Endpoint, checkout: Path, tmp_path: Path, rules: Rules, is_incremental: bool
) -> None:
    name = "NY201_2021_rowdata.json"
    data = (checkout / "examples/district/clean/landing/direct_report" / name).read_bytes()
    document = json.loads(data)
    records = document.pop("documents")
    for number, record in enumerate(records):
        record["updatedAt"] = f"2021-03-01T00:{number:02d}:00"
    declared: dict[str, Any] = {
        "id": "platform", "source": "direct_report", "kind": "rest", "address": server.address, "records": "documents",
        "paging": {"kind": "page", "parameter": "page", "total": "total"},
    }  # fmt: skip
    if is_incremental:
        declared["cursor"] = {"field": "updatedAt", "parameter": "since"}
    feed_home.declare(declared)
    for n_held in (25, len(records)):
        server.reply = paged(records[:n_held], 10, **document)
        assert feed_home.fetch().outcome == "answered"
        archive.seal(feed_home.home, AS_OF)
    wanted = raw_rows(
        as_file(checkout, tmp_path, "direct_report", name, data), "direct_report", "values", rules
    )
    assert len(wanted) > 1000
    assert raw_rows(feed_home.home, "direct_report", "values", rules) == wanted


def test_rows_of_a_database_are_the_file_they_would_have_been(
    feed_home: FeedHome, postgres: Postgres, checkout: Path, tmp_path: Path, rules: Rules,
    secret: Callable[[str, str], str],
) -> None:  # fmt: skip
    source = checkout / "examples/district/clean/landing/metering/daily_2021.csv"
    lines = source.read_bytes().splitlines(keepends=True)[:501]
    rows = list(csv.DictReader(line.decode() for line in lines))
    postgres.run(
        "drop schema if exists energy cascade",
        "create schema energy",
        "create table energy.readings (building_code text, item_code text, start_time timestamp, end_time timestamp, value numeric, unit text)",
    )
    secret("PLATFORM_DB_USER", "owner")
    secret("PLATFORM_DB_PASSWORD", postgres.password)
    feed_home.declare(
        {"id": "readings", "source": "metering", "kind": "database", "address": postgres.address, "table": "energy.readings",
         "user_env": "PLATFORM_DB_USER", "password_env": "PLATFORM_DB_PASSWORD", "cursor": "start_time", "overlap": 86400,
         "rows_per_file": 120},
    )  # fmt: skip
    ordered = sorted(rows, key=lambda row: row["start_time"])
    for part in (ordered[:200], ordered[200:]):
        values = ", ".join("(" + ", ".join(f"'{value}'" for value in row.values()) + ")" for row in part)
        postgres.run(f"insert into energy.readings values {values}")
        assert feed_home.fetch().n_records == len(part)
    assert len(feed_home.landed) == 5
    home = as_file(checkout, tmp_path, "metering", "daily.csv", b"".join(lines))
    assert raw_rows(feed_home.home, "metering", "readings", rules) == raw_rows(
        home, "metering", "readings", rules
    )


@pytest.fixture
def settings(tmp_path: Path, checkout: Path) -> Any:
    """A home with a dead feed and a good one beside a file that was dropped."""
    home = tmp_path / "home"
    (home / "landing" / "registers").mkdir(parents=True)
    example = checkout / "examples/district/clean/landing/registers/buildings.csv"
    (home / "landing" / "registers" / "buildings.csv").write_bytes(example.read_bytes())
    share = home / "share"
    share.mkdir()
    (share / "institutions.csv").write_bytes(example.with_name("institutions.csv").read_bytes())
    (share / "link.csv").symlink_to("institutions.csv")
    found = Settings(home=home, profile=str(checkout / "examples/district/profile.yml"), as_of=AS_OF)
    before = dict(os.environ)
    yield found
    os.environ.clear()
    os.environ.update(before)
    nights.release_hold(found.paths)


def test_the_night_asks_its_feeds_first_and_goes_on_without_the_dead(
    settings: Settings, server: Endpoint, secret: Callable[[str, str], str]
) -> None:
    from orchestration.defs import landing
    from orchestration.defs import raw as raw_room

    def reply(asked: Asked) -> None:
        asked.say({"error": f"{asked.headers['Authorization']} is not known"}, 401)

    server.reply = reply
    feeds = FeedHome(settings.paths.root)
    feeds.declare(
        {"id": "dead", "source": "metering", "kind": "rest", "address": server.address, "records": "rows",
         "token": {"env": "PLATFORM_TOKEN"}},
        {"id": "share", "source": "registers", "kind": "folder", "address": "share", "settle_s": 0},
    )  # fmt: skip
    assert nights.is_anything_new(settings)
    activate(settings)
    os.environ["PLATFORM_TOKEN"] = TOKEN
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [landing.fetched_feeds, landing.sealed_files, raw_room.declarations], instance=instance
        )
        (event,) = result.asset_materializations_for_node("landing__fetched_feeds")
        assert event.metadata["files"].value == 1
        assert "not accepted" in str(event.metadata["failed"].value)
        sealed = {item.path for item in archive.receipts(settings.paths)}
        assert sealed == {"buildings.csv", "share/institutions.csv"}

        with duckdb.connect(str(settings.paths.warehouse), read_only=True) as con:
            rows = con.execute(
                "select feed_id, outcome, path, reason_code from raw.feed_runs order by all"
            ).fetchall()
            assert rows == [
                ("dead", "failed", None, "feed_not_admitted"),
                ("share", "answered", None, None),
                ("share", "left_alone", "link.csv", "file_left_alone"),
            ]
            catalogue = load_catalogue()
            named = evaluate(con, catalogue.rule("feed_not_read"), catalogue, (), AS_OF)
            assert [row.row_key for row in named.rows] == ["dead", "share|link.csv"]

        # the same night again is the same night; one on which the feed answers is another
        night = nights.resume(load_settings())
        result = dg.materialize([landing.fetched_feeds, landing.sealed_files], instance=instance)
        assert nights.resume(load_settings()).fingerprint == night.fingerprint
        server.reply = lambda asked: asked.say({"rows": [{"id": 1}]})
        dg.materialize([landing.fetched_feeds, landing.sealed_files], instance=instance)
        assert nights.resume(load_settings()).fingerprint != night.fingerprint
    assert TOKEN.encode() not in feeds.all_bytes


def test_the_command_fetches_says_how_it_went_and_hides_the_token(
    feed_home: FeedHome, server: Endpoint, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str],
    secret: Callable[[str, str], str],
) -> None:  # fmt: skip
    secret("TANCANG_LANG", "en")
    secret("PLATFORM_TOKEN", TOKEN)

    def tancang(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tancang", *arguments, "--home", str(feed_home.home.root)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), *capfd.readouterr()

    none = tancang("fetch")
    assert none[0] == 2
    assert "feeds.yml" in none[2]
    entry = {"id": "platform", "source": "metering", "kind": "rest", "address": server.address, "records": "rows",
             "token": {"env": "PLATFORM_TOKEN"}, "tries": 1}  # fmt: skip
    feed_home.declare(entry, {**entry, "id": "dead", "address": "http://127.0.0.1:1/"})
    server.reply = lambda asked: asked.say({"rows": [{"id": asked.headers["Authorization"]}]})
    good = tancang("fetch", "platform")
    assert (good[0], good[2]) == (0, "")
    assert "platform: 1 new files, 1 records" in good[1]
    every = tancang("fetch", "--json")
    assert every[0] == 1
    assert [(item["feed_id"], item["outcome"]) for item in json.loads(every[1])] == [
        ("platform", "answered"),
        ("dead", "failed"),
    ]
    status = tancang("status")
    assert "feed dead: it cannot be reached" in status[1]
    wrong = tancang("fetch", "nosuch")
    assert wrong[0] == 2
    assert TOKEN not in str((none, good, every, status, wrong))
    assert TOKEN.encode() not in feed_home.all_bytes
    assert b"Bearer ***" in feed_home.landed["metering/platform/all.json"]


def test_a_home_without_feeds_loads_none_of_their_libraries(feed_home: FeedHome) -> None:
    program = (
        "import sys; from datetime import date; from pathlib import Path; from ingestion.contracts.home import Home\n"
        "from ingestion.feeds.run import fetch, last_runs\n"
        f"home = Home(Path({str(feed_home.home.root)!r})); assert fetch(home, date.today()) == [] == last_runs(home)\n"
        "heavy = {'paramiko', 'urllib3', 'adbc_driver_postgresql', 'pyarrow', 'polars', 'pandera'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "HEAVY []" in done.stdout, done.stdout + done.stderr
