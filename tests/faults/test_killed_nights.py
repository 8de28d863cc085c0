"""A night killed at any instant loses nothing: `current` stays whole, the next night gives the same release."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "pipeline"))

from nights import AS_OF, CHECKOUT, DISTRICT, TANCANG, run_night

from exports.manifest import verify


def parquet(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_kill_at_a_random_instant(seed: int, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(DISTRICT / "clean", home)
    (home / "profiles").mkdir()
    shutil.copyfile(DISTRICT / "profile.yml", home / "profiles" / "example.yml")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TANCANG_", "DAGSTER_"))}
    first = run_night(home)
    assert first.code == 0
    standing = first.facts["release_id"]
    before = parquet(first.release)

    shutil.copytree(
        DISTRICT / "defective" / "landing" / "direct_report",
        home / "landing" / "direct_report",
        dirs_exist_ok=True,
    )
    shutil.copyfile(DISTRICT / "defective" / "corrections.yml", home / "corrections.yml")
    night = subprocess.Popen(
        [TANCANG, "nightly", "--home", str(home), "--as-of", AS_OF],
        cwd=CHECKOUT,
        env=clean,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(random.Random(seed).uniform(1, 30))
    was_running = night.poll() is None
    if was_running:
        os.killpg(night.pid, signal.SIGKILL)
    night.wait()
    now = (home / "current").resolve()
    assert verify(now) == []
    if was_running and now.name == standing:
        assert parquet(now) == before

    mended = run_night(home)
    assert mended.code == 0, mended.said[-2000:]
    assert mended.facts["release_id"] != standing
    undisturbed = tmp_path / "undisturbed"
    shutil.copytree(home / "landing", undisturbed / "landing")
    shutil.copytree(home / "profiles", undisturbed / "profiles")
    shutil.copyfile(home / "corrections.yml", undisturbed / "corrections.yml")
    shutil.copytree(home / "archive", undisturbed / "archive")
    other = run_night(undisturbed)
    without_history = {name: data for name, data in parquet(other.release).items() if "/release/" not in name}
    assert without_history == {
        name: data for name, data in parquet(mended.release).items() if "/release/" not in name
    }
