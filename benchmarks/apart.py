"""One step of a benchmark in a process of its own, whose memory is its own.

Belongs here: starting that process, and what a step took. Does not belong here: what a step does (each benchmark).
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


def run(module: str, what: str, place: Path) -> dict[str, Any]:
    """What `python -m module what place` prints as JSON. Raises SystemExit with its last words when it fails."""
    done = subprocess.run([sys.executable, "-m", module, what, str(place)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr[-2000:])
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def taken(step: Callable[[], T]) -> tuple[T, dict[str, float]]:
    """What a step gives, and its seconds and seconds of processor time; the peak, in MB, is that of the process so far."""
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    found = step()
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return found, {"wall": wall, "cpu": cpu, "peak": after.ru_maxrss / 1024}
