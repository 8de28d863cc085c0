"""A fetch killed at any instant loses nothing and lands nothing twice."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from feed_home import AS_OF, FeedHome
from servers import Endpoint, Postgres, paged

from ingestion.feeds import delivery
from ingestion.feeds.run import fetch

KILLS = 12


def killed_fetch(home: FeedHome, after_s: float) -> None:
    """Fetch in a process of its own, and kill it."""
    child = os.fork()
    if child == 0:
        try:
            fetch(home.home, AS_OF)
        finally:
            os._exit(0)
    time.sleep(after_s)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def landed_ids(home: FeedHome, feed: str) -> list[int]:
    found: list[int] = []
    for name, data in home.landed.items():
        assert not name.rsplit("/", 1)[-1].startswith("."), name
        if f"/{feed}/" not in name:
            continue
        if name.endswith(".json"):
            found += [record["id"] for record in json.loads(data)["documents"]]
        else:
            found += [int(line.split(",")[0].strip('"')) for line in data.decode().splitlines()[1:]]
    return sorted(found)


@pytest.mark.parametrize(
    "seed", [*range(3), *[pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 30)]]
)
def test_killed_at_random_instants(
    seed: int,
    feed_home: FeedHome,
    server: Endpoint,
    postgres: Postgres,
    shelf: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chance = random.Random(seed)
    monkeypatch.setenv("PLATFORM_DB_USER", "owner")
    monkeypatch.setenv("PLATFORM_DB_PASSWORD", postgres.password)
    postgres.run(
        "drop schema if exists killed cascade",
        "create schema killed",
        "create table killed.t (id bigint, at timestamptz)",
    )
    held: list[dict[str, Any]] = []
    server.reply = paged(held, 3)
    common = {"source": "metering"}
    feed_home.declare(
        {**common, "id": "pages", "kind": "rest", "address": server.address, "records": "documents",
         "paging": {"kind": "page", "parameter": "page", "total": "total"},
         "cursor": {"field": "updatedAt", "parameter": "since"}},
        {**common, "id": "rows", "kind": "database", "address": postgres.address, "user_env": "PLATFORM_DB_USER",
         "password_env": "PLATFORM_DB_PASSWORD", "table": "killed.t", "cursor": "at", "overlap": 60, "rows_per_file": 4},
        {**common, "id": "share", "kind": "folder", "address": str(shelf), "settle_s": 0},
    )  # fmt: skip
    for turn in range(KILLS):
        for number in range(turn * 7, turn * 7 + 7):
            held.append({"id": number, "updatedAt": f"2021-03-01T{turn:02d}:00:00"})
        postgres.run(
            f"insert into killed.t select g, timestamptz '2021-03-01' + g / 3 * interval '20 seconds' from generate_series({turn * 7}, {turn * 7 + 6}) g"
        )
        (shelf / f"{turn}.csv").write_text(f"file {turn}", encoding="utf-8")
        killed_fetch(feed_home, chance.uniform(0, 0.25))
    last = {run.feed_id: run for run in fetch(feed_home.home, AS_OF)}
    assert {run.outcome for run in last.values()} == {"answered"}, last
    wanted = list(range(KILLS * 7))
    assert landed_ids(feed_home, "pages") == wanted
    assert landed_ids(feed_home, "rows") == wanted
    assert {name: data for name, data in feed_home.landed.items() if "/share/" in name} == {
        f"metering/share/{turn}.csv": f"file {turn}".encode() for turn in range(KILLS)
    }
    assert [run.n_files for run in fetch(feed_home.home, AS_OF)] == [0, 0, 0]


@pytest.mark.parametrize("step", range(12))
def test_broken_off_at_each_step_of_a_delivery(
    step: int, feed_home: FeedHome, server: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each rename and each removal in turn is the last thing that happens; the sender changes meanwhile."""
    held = [{"id": n, "updatedAt": f"2021-03-01T00:00:{n:02d}"} for n in range(5)]
    server.reply = paged(held, 2)
    feed_home.declare(
        {"id": "pages", "source": "metering", "kind": "rest", "address": server.address, "records": "documents",
         "paging": {"kind": "page", "parameter": "page", "total": "total"},
         "cursor": {"field": "updatedAt", "parameter": "since"}},
    )  # fmt: skip
    left = step

    def breaks(real: Any) -> Any:
        def act(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
            return real(*arguments, **named)

        return act

    with monkeypatch.context() as patched:
        patched.setattr(delivery.os, "replace", breaks(os.replace))
        patched.setattr(delivery.Path, "unlink", breaks(Path.unlink))
        try:
            fetch(feed_home.home, AS_OF)
        except KeyboardInterrupt:
            pass
        else:
            assert left >= 0
    del held[3:]
    held += [{"id": n, "updatedAt": f"2021-03-01T00:01:{n:02d}"} for n in range(10, 12)]
    assert fetch(feed_home.home, AS_OF)[0].outcome == "answered"
    found = landed_ids(feed_home, "pages")
    # either the first sweep was complete before the break, or nothing of it counts
    assert found in ([0, 1, 2, 3, 4, 10, 11], [0, 1, 2, 10, 11])
    assert fetch(feed_home.home, AS_OF)[0].n_files == 0
