"""Nights that are killed, and readers who look on while releases are switched."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest
from exports_world import dictionary, fingerprint, publish_version

from exports.current import current_release, point_to
from exports.dictionary import PublishedTable
from exports.manifest import read_manifest, verify

NIGHT = Path(__file__).with_name("exports_night.py")
STEPS = (
    "confirmed", "building", "parquet:factor_used", "parquet:release", "database", "extras", "manifest",
    "sealed", "reconfirmed", "renamed", "named", "linked",
)  # fmt: skip


@pytest.fixture
def tables(tmp_path: Path) -> tuple[PublishedTable, ...]:
    return dictionary(tmp_path)


def _release_id(version: int) -> str:
    return f"20261120-{fingerprint(version)[:12]}"


def _check_standing(home: Path) -> str:
    """Whoever follows current.json or the link lands on a whole release, whatever has been killed."""
    current = current_release(home)
    assert current is not None
    assert verify(current.path) == []
    linked = (home / "current").resolve()
    assert verify(linked) == []
    with duckdb.connect(str(linked / "inventory.duckdb"), read_only=True) as con:
        assert con.execute("select release_id from published.release").fetchall() == [(linked.name,)]
    return current.release_id


def _check_next_night(home: Path, tables: tuple[PublishedTable, ...], undisturbed: Path) -> None:
    """The next night gives what it would have given undisturbed, and nothing half done is left."""
    made = publish_version(home, tables, 2)
    assert made.is_current
    assert _check_standing(home) == _release_id(2)
    reference = read_manifest(undisturbed / "releases" / _release_id(2))
    assert (made.number, made.parent_release_id) == (reference.number, reference.parent_release_id)
    assert made.manifest.tables == reference.tables
    assert sorted(path.name for path in home.iterdir()) == ["current", "current.json", "releases"]
    assert sorted(path.name for path in (home / "releases").iterdir()) == sorted(map(_release_id, (1, 2)))


@pytest.fixture
def homes(tmp_path: Path, tables: tuple[PublishedTable, ...]) -> tuple[Path, Path]:
    """One home with release 1 only, one where release 2 followed without trouble."""
    publish_version(tmp_path / "one", tables, 1)
    for version in (1, 2):
        publish_version(tmp_path / "undisturbed", tables, version)
    return tmp_path / "one", tmp_path / "undisturbed"


def test_the_steps_named_here_are_all_there_are(tmp_path: Path, tables: tuple[PublishedTable, ...]) -> None:
    steps: list[str] = []
    publish_version(tmp_path / "home", tables, 1, on_step=steps.append)
    assert set(STEPS) <= set(steps)
    assert {step for step in steps if not step.startswith("parquet:")} <= set(STEPS)


def test_a_night_killed_at_any_step_leaves_a_whole_release(
    tmp_path: Path, tables: tuple[PublishedTable, ...], homes: tuple[Path, Path]
) -> None:
    one, undisturbed = homes
    for step in STEPS:
        home = tmp_path / f"killed at {step.replace(':', ' ')}"
        shutil.copytree(one, home, symlinks=True)
        killed = subprocess.run(
            [sys.executable, str(NIGHT), str(home), str(tmp_path / "manifest.json"), "2", step],
            capture_output=True, check=False,
        )  # fmt: skip
        assert killed.returncode == -9, (step, killed.stderr)
        standing = _check_standing(home)
        assert standing == _release_id(2 if step in ("named", "linked") else 1), step
        _check_next_night(home, tables, undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_a_night_killed_at_a_random_instant_leaves_a_whole_release(
    tmp_path: Path, tables: tuple[PublishedTable, ...], homes: tuple[Path, Path], seed: int
) -> None:
    home, undisturbed = homes
    night = subprocess.Popen(
        [sys.executable, str(NIGHT), str(home), str(tmp_path / "manifest.json"), "2"], stdout=subprocess.PIPE
    )
    assert night.stdout is not None
    night.stdout.readline()
    time.sleep(random.Random(seed).uniform(0, 0.6))
    night.kill()
    night.wait()
    night.stdout.close()
    assert _check_standing(home) in (_release_id(1), _release_id(2))
    _check_next_night(home, tables, undisturbed)


def _read_in_a_loop(home: Path, through_link: bool, stop: object, answers: object) -> None:
    """What a reader does: find out once which release stands, then read that one."""
    reads, seen, last = 0, set(), -1
    while not stop.is_set():  # type: ignore[attr-defined]
        if through_link:
            folder = (home / "current").resolve()
        else:
            folder = home / json.loads((home / "current.json").read_text())["path"]
        number = read_manifest(folder).number
        with duckdb.connect(str(folder / "inventory.duckdb"), read_only=True) as con:
            release = con.execute("select release_id from published.release").fetchall()
            versions = con.execute(
                "select count(distinct version), min(version) from ("
                "select electricity_kwh::bigint as version from published.region_year union all "
                "select (min(electricity_kwh))::bigint from published.institution_year)"
            ).fetchall()
        assert release == [(folder.name,)], "a torn read"
        assert versions == [(1, number)], "tables of two releases in one"
        assert number >= last, "a reader went back in time"
        last = number
        seen.add(number)
        reads += 1
    answers.put((reads, len(seen)))  # type: ignore[attr-defined]


def _look_in_a_loop(home: Path, stop: object, answers: object) -> None:
    looks, errors = 0, 0
    while not stop.is_set():  # type: ignore[attr-defined]
        try:
            os.readlink(home / "current")
            json.loads((home / "current.json").read_bytes())
        except (OSError, ValueError):
            errors += 1
        looks += 1
    answers.put((looks, errors))  # type: ignore[attr-defined]


def test_the_pointers_are_never_gone_for_an_instant(tmp_path: Path) -> None:
    point_to(tmp_path, _release_id(0), set())
    context = multiprocessing.get_context("spawn")
    stop, answers = context.Event(), context.Queue()
    reader = context.Process(target=_look_in_a_loop, args=(tmp_path, stop, answers))
    reader.start()
    until = time.monotonic() + 3
    switches = 0
    while time.monotonic() < until:
        switches += 1
        point_to(tmp_path, _release_id(switches), set())
    stop.set()
    looks, errors = answers.get(timeout=60)
    reader.join(60)
    assert (looks > 100, switches > 100, errors) == (True, True, 0)


def test_readers_never_meet_an_error_or_a_torn_read(
    tmp_path: Path, tables: tuple[PublishedTable, ...]
) -> None:
    home = tmp_path / "home"
    publish_version(home, tables, 1)
    context = multiprocessing.get_context("spawn")
    stop, answers = context.Event(), context.Queue()
    readers = [
        context.Process(target=_read_in_a_loop, args=(home, number % 2 == 0, stop, answers))
        for number in range(3)
    ]
    for reader in readers:
        reader.start()
    held = duckdb.connect(str(home / "releases" / _release_id(1) / "inventory.duckdb"), read_only=True)
    for version in range(2, 22):
        publish_version(home, tables, version)
    time.sleep(0.5)
    stop.set()
    counts = [answers.get(timeout=60) for _ in readers]
    for reader in readers:
        reader.join(60)
    assert [reader.exitcode for reader in readers] == [0, 0, 0]
    assert all(reads > 0 for reads, _ in counts)
    assert max(seen for _, seen in counts) >= 3, "readers saw releases change"
    # who holds an old release open is never disturbed
    assert held.execute("select release_id from published.release").fetchall() == [(_release_id(1),)]
    held.close()
