"""How long a newcomer waits: set-up with the first night, a night on the example, a night without news.

Whole processes are timed from outside, so imports count: at a district's size they are what people feel.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHECKOUT = Path(__file__).parent.parent
EXAMPLE = ("--landing", "examples/district/clean/landing", "--profile", "examples/district/profile.yml")


def _timed(command: list[str], folder: Path) -> tuple[float, float, float]:
    """(wall seconds, CPU seconds of the process tree, peak MB of its largest process)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("TANCANG_", "DAGSTER_"))
    }
    done = subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True)
    wall = time.monotonic() - began
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}\n{done.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, after.ru_maxrss / 1024


def measure(runs: int = 3) -> list[tuple[str, str, float, float, float]]:
    """Rows (claim, goal, median wall s, median CPU s, peak MB)."""
    tancang = str(Path(sys.executable).parent / "tancang")
    rows = []
    with tempfile.TemporaryDirectory() as place:
        nights, empties = [], []
        for number in range(runs):
            home = str(Path(place) / f"home{number}")
            nights.append(_timed([tancang, "nightly", "--home", home, *EXAMPLE], CHECKOUT))
            empties.append(_timed([tancang, "nightly", "--home", home, *EXAMPLE], CHECKOUT))
        rows.append(("a night on the example district", "≤ 45 s", *_median(nights)))
        rows.append(("a night without news", "≤ 15 s", *_median(empties)))
        copy = Path(place) / "checkout"
        subprocess.run(["git", "clone", "--quiet", str(CHECKOUT), str(copy)], check=True)
        rows.append(("first set-up and first night", "≤ 180 s", *_timed(["make", "run"], copy)))
        shutil.rmtree(copy)
    return rows


def _median(timings: list[tuple[float, float, float]]) -> tuple[float, float, float]:
    ordered = sorted(timings)
    wall, cpu, _ = ordered[len(ordered) // 2]
    return wall, cpu, max(peak for _, _, peak in timings)
