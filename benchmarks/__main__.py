"""Runs the benchmarks and writes what they measured, with the machine they ran on, to docs/performance.md."""

from __future__ import annotations

import os
import platform
import sys
from datetime import date
from pathlib import Path

import duckdb

from benchmarks import accounting, direct_report, explain, matching, nights, readings, uncertainty, workbook

REPORT = Path(__file__).parent.parent / "docs" / "performance.md"


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    return (
        f"{len(os.sched_getaffinity(0))} cores ({model}), {memory:.0f} GiB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, DuckDB {duckdb.__version__}"
    )


READING = {"direct_report": direct_report.measure, "workbook": workbook.measure}
IN_ONE_PROCESS = {
    **READING,
    "uncertainty": uncertainty.measure,
    "accounting": accounting.measure,
    "matching": matching.measure,
    "explain": explain.measure,
}


def _lines(name: str) -> list[str]:
    lines = [f"| {what} | {goal} | {measured} |" for what, goal, measured in IN_ONE_PROCESS[name]()]
    print(*lines, sep="\n", flush=True)
    return lines


def main() -> None:
    if sys.argv[1:]:
        for name in sys.argv[1:]:
            _lines(name)
        return
    lines = [
        "# Performance",
        "",
        "Written by `make bench`; whole processes, timed from outside, medians of three runs (set-up: one run).",
        "",
        f"Machine: {_machine()}. Measured {date.today().isoformat()}.",
        "",
        "| what | goal on two cores | wall s | CPU s | peak MB |",
        "|---|---|---|---|---|",
    ]
    for what, goal, wall, cpu, peak in nights.measure():
        lines.append(f"| {what} | {goal} | {wall:.1f} | {cpu:.1f} | {peak:.0f} |")
        print(lines[-1], flush=True)
    for line in readings.measure():
        lines.append(line)
        print(line, flush=True)
    lines += [
        "",
        "A night at this size is mostly imports: the example's data needs seconds, Dagster, dbt, pandera and Great",
        "Expectations need the rest. A night without news imports none of them.",
        "",
        readings.MEANING,
        "",
        "## Reading",
        "",
        "In one process without imports (`python -m benchmarks direct_report`, `… workbook`), medians of three runs.",
        "",
        "| what | goal on two cores | measured |",
        "|---|---|---|",
        *(line for name in READING for line in _lines(name)),
        "",
        "## Simulation",
        "",
        "In one process (`python -m benchmarks uncertainty`), one run; every half-width within 2 % of error propagation.",
        "",
        "| what | goal on two cores | measured |",
        "|---|---|---|",
        *_lines("uncertainty"),
        "",
        "## Accounting",
        "",
        accounting.MEANING,
        "",
        "| what | goal on two cores | measured |",
        "|---|---|---|",
        *_lines("accounting"),
        "",
        "## Matching",
        "",
        "In one process (`python -m benchmarks matching`), one run ([matching.md](matching.md)).",
        "",
        "| what | goal on two cores | measured |",
        "|---|---|---|",
        *_lines("matching"),
        "",
        "## Explaining a figure",
        "",
        explain.MEANING,
        "",
        "| what | goal on two cores | measured |",
        "|---|---|---|",
        *_lines("explain"),
        "",
    ]
    REPORT.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
