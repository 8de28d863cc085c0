"""60,000 rows without keys against a register of 60,000: `python -m benchmarks matching`."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator

from examples.matching_pairs import chinese, measured
from ingestion.matching.linking import Register

N = 60_000
GOAL = "≤ 2 min, ≤ 4 GB"


def measure() -> Iterator[tuple[str, str, str]]:
    """One row (what, goal, measured): one run, the register read and taken apart within it."""
    pairs = chinese(N)
    wall, cpu = time.perf_counter(), time.process_time()
    matches = Register(pairs.register, pairs.regions).match(pairs.rows)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    found = measured(pairs, matches)
    yield (
        f"{N:,} rows with names and addresses against {N:,} entries; {found}",
        GOAL,
        f"{wall:.0f} s, CPU {cpu:.0f} s, peak {peak:.1f} GB",
    )
