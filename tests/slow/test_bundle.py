"""The bundle sets up and runs a night where there is no network at all."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
# a network namespace of its own, with nothing in it, is as offline as a machine gets
OFFLINE = ["unshare", "--net"]


def can_be_offline() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*OFFLINE, "true"], capture_output=True).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not can_be_offline(), reason="no rights to take the network away on this machine")
def test_the_bundle_needs_no_network(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(CHECKOUT), str(clone)], check=True)
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TANCANG_", "DAGSTER_", "VIRTUAL_ENV"))}
    made = subprocess.run(["make", "bundle"], cwd=clone, env=clean, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr[-1500:]
    place = tmp_path / "office"
    place.mkdir()
    subprocess.run(["tar", "-xf", str(clone / "dist/tancang-bundle.tar"), "-C", str(place)], check=True)
    shutil.rmtree(clone)
    night = subprocess.run(
        [*OFFLINE, "make", "run"],
        cwd=place / "tancang",
        env={**clean, "UV_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
    )
    assert night.returncode == 0, night.stdout[-1500:] + night.stderr[-1500:]
    assert "verdict: PASS" in night.stdout
