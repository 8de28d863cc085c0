"""Simulates the totals of a province: every county, city and the province itself, twelve years, levels and changes.

Belongs here: terms of a province's size and their timing. Run it with `python -m benchmarks uncertainty`.

Terms come as the warehouse gives them, summed by chain of factor rows; so 51,754 institutions cost what 500 do. What the
draws say is held against error propagation, so that a faster wrong answer would not pass.
"""

from __future__ import annotations

import math
import random
import time

from quality.simulation import Interval, Simulated, Term, simulate

REGIONS = 1 + 21 + 183
YEARS = range(2014, 2026)
DRAWS = 200_000
SEED = 2006
FUELS = {"NG": 3.9, "GASOLINE": 5.0, "DIESEL": 5.0, "LPG": 5.0, "COAL": 5.4, "HEAT": 14.0}
_GRID_PCT, _AMOUNT_PCT = 10.0, 2.0
GOAL = "≤ 30 s"
_TOLERANCE = 0.02


def intervals() -> dict[str, Interval]:
    """A grid row of each year, a row of each fuel for all of them."""
    return {f"GRID-{year}": Interval(_GRID_PCT, _GRID_PCT) for year in (YEARS.start - 1, *YEARS)} | {
        row: Interval(pct, pct) for row, pct in FUELS.items()
    }


def terms(region: int, year: int) -> tuple[Term, ...]:
    """What a region emits in a year by row; its 250 institutions err apart."""
    chooser = random.Random(f"{region} {year}")
    amounts = {f"GRID-{year}": chooser.uniform(2e4, 2e5)} | {row: chooser.uniform(1e2, 2e4) for row in FUELS}
    half = _AMOUNT_PCT / 100 / math.sqrt(250)
    return tuple(
        Term((row,), str(year), amount, half * amount, half * amount) for row, amount in amounts.items()
    )


def levels_and_changes(year: int, n_regions: int) -> dict[tuple[str, int], tuple[Term, ...]]:
    """Total and change of every region, as figures of one year."""
    found: dict[tuple[str, int], tuple[Term, ...]] = {}
    for region in range(n_regions):
        now, before = terms(region, year), terms(region, year - 1)
        found["level", region] = now
        found["change", region] = now + tuple(
            Term(term.chain, term.stream, term.amount, term.minus, term.plus, sign=-1) for term in before
        )
    return found


def faults(
    figures: dict[tuple[str, int], tuple[Term, ...]], found: dict[tuple[str, int], Simulated]
) -> list[str]:
    """Figures whose simulated half-width is not that of error propagation."""
    known = intervals()
    wrong = []
    for key, figure in figures.items():
        net: dict[str, float] = {}
        for term in figure:
            net[term.chain[0]] = net.get(term.chain[0], 0.0) + term.sign * term.amount
        rows = math.fsum((known[row].plus_pct / 100 * amount) ** 2 for row, amount in net.items())
        half = math.sqrt(rows + math.fsum(term.plus**2 for term in figure))
        if abs((found[key].high - found[key].low) / 2 / half - 1) > _TOLERANCE:
            wrong.append(f"{key}: {found[key]}, expected ± {half}")
    return wrong


def measure(n_regions: int = REGIONS, n_draws: int = DRAWS) -> list[tuple[str, str, str]]:
    """Rows for docs/performance.md: what, goal, measured."""
    known = intervals()
    started, cpu = time.monotonic(), time.process_time()
    n_figures = 0
    for year in YEARS:
        figures = levels_and_changes(year, n_regions)
        found = simulate(figures, known, n_draws, SEED)
        n_figures += len(found)
        wrong = faults(figures, found)
        if wrong:
            raise AssertionError(wrong[0])
    took = f"{time.monotonic() - started:.1f} s, CPU {time.process_time() - cpu:.1f} s"
    what = f"{n_draws:,} draws of {n_figures:,} figures: totals and changes of {n_regions} regions, {len(YEARS)} years"
    return [(what, GOAL, took)]
