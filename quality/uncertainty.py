"""Simulates the figures of regions from the warehouse's terms and writes the published table of their intervals.

Belongs here: reading terms and intervals, the rows of marts.emission_simulation. Does not belong here: how draws are
made (simulation.py), bounds by error propagation (SQL).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from quality.simulation import Interval, Simulated, Term, can_draw, simulate

if TYPE_CHECKING:
    import duckdb

TABLE = "marts.emission_simulation"
_COLUMNS = """region_code VARCHAR, population VARCHAR, year INTEGER, figure VARCHAR, figure_simulated_low_tco2 DOUBLE,
    figure_simulated_high_tco2 DOUBLE, figure_simulated_mean_tco2 DOUBLE, figure_change_simulated_low_tco2 DOUBLE,
    figure_change_simulated_high_tco2 DOUBLE, simulation_state VARCHAR, n_draws BIGINT, seed_number BIGINT"""
_TERMS = """select base_year, region_code, population, figure, year, factor_chain, emissions_tco2::double,
    activity_minus_squared::double, activity_plus_squared::double, is_activity_known
    from core.core_region_emission_term where figure not like '%_frozen_tco2' order by all"""
"""Those at frozen factors have error propagation alone: drawing them would double the cost of a night for the errors of the same
amounts."""
_INTERVALS = """select subject_key, minus_pct::double, plus_pct::double, distribution from core.core_uncertainty
    where subject_kind = 'factor'"""
_SETTINGS = "select key, value from raw.profile where key in ('simulation_draws', 'simulation_seed')"

State = Literal[
    "simulated",
    "low_cut_at_zero",
    "factor_uncertainty_missing",
    "activity_uncertainty_missing",
    "distribution_not_simulated",
]


@dataclass(frozen=True)
class Figure:
    """A figure of a region, population and year, with its terms of the year and of the year before."""

    year: int
    region_code: str
    population: str
    name: str
    now: tuple[Term, ...]
    before: tuple[Term, ...]
    is_activity_known: bool

    def state(self, intervals: Mapping[str, Interval]) -> State:
        """Whether it can be simulated, else what is missing; the first that is found."""
        rows = {name for term in (*self.now, *self.before) for name in term.chain}
        if not rows <= set(intervals):
            return "factor_uncertainty_missing"
        if not self.is_activity_known:
            return "activity_uncertainty_missing"
        return (
            "simulated" if all(can_draw(intervals[name]) for name in rows) else "distribution_not_simulated"
        )


def write_simulation(con: duckdb.DuckDBPyConnection) -> int:
    """Simulate all figures of all regions with the draws and the seed of the profile; the number of figures."""
    settings = dict(con.execute(_SETTINGS).fetchall())
    n_draws, seed = int(settings["simulation_draws"]), int(settings["simulation_seed"])
    intervals = {
        name: Interval(minus, plus, distribution)
        for name, minus, plus, distribution in con.execute(_INTERVALS).fetchall()
    }
    rows = [
        (*row, n_draws, seed)
        for figures in _by_year(read_figures(con))
        for row in _rows(figures, intervals, n_draws, seed)
    ]
    con.execute(f"create or replace table {TABLE} ({_COLUMNS})")
    if rows:
        con.executemany(f"insert into {TABLE} values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    return len(rows)


def read_figures(con: duckdb.DuckDBPyConnection) -> list[Figure]:
    """Every figure of the warehouse, by year."""
    terms: dict[tuple[int, str, str, str], list[tuple[int, Term, bool]]] = defaultdict(list)
    for base_year, region, population, figure, year, chain, amount, minus, plus, is_known in con.execute(
        _TERMS
    ).fetchall():
        term = Term(tuple(chain.split(" x ")), str(year), amount, _root(minus), _root(plus))
        terms[base_year, region, population, figure].append((year, term, is_known))
    return [
        Figure(
            year=base_year,
            region_code=region,
            population=population,
            name=figure,
            now=tuple(term for year, term, _ in found if year == base_year),
            before=tuple(term for year, term, _ in found if year != base_year),
            is_activity_known=all(is_known for _, _, is_known in found),
        )
        for (base_year, region, population, figure), found in terms.items()
        if any(year == base_year for year, _, _ in found)
    ]


def _root(squared: float | None) -> float:
    return math.sqrt(squared or 0.0)


def _by_year(figures: Sequence[Figure]) -> Iterator[list[Figure]]:
    """Figures of one year at a time: only the rows of two years are held as draws."""
    for year in sorted({figure.year for figure in figures}):
        yield [figure for figure in figures if figure.year == year]


def _rows(
    figures: Sequence[Figure], intervals: Mapping[str, Interval], n_draws: int, seed: int
) -> Iterator[tuple[object, ...]]:
    states = [figure.state(intervals) for figure in figures]
    asked: dict[tuple[int, str], Sequence[Term]] = {}
    for i, (figure, state) in enumerate(zip(figures, states, strict=True)):
        if state == "simulated":
            asked[i, "level"] = figure.now
            if figure.before:
                asked[i, "change"] = (*figure.now, *_taken_away(figure.before))
    found = simulate(asked, intervals, n_draws, seed)
    for i, (figure, state) in enumerate(zip(figures, states, strict=True)):
        level, change = found.get((i, "level")), found.get((i, "change"))
        low, high = _ends(level)
        # what is burned or bought is never less than nothing
        is_cut = low is not None and low < 0 <= sum(term.amount for term in figure.now)
        yield (
            figure.region_code,
            figure.population,
            figure.year,
            figure.name,
            0.0 if is_cut else low,
            high,
            level.mean if level else None,
            *_ends(change),
            "low_cut_at_zero" if is_cut else state,
        )


def _taken_away(terms: Sequence[Term]) -> Iterator[Term]:
    for term in terms:
        yield Term(term.chain, term.stream, term.amount, term.minus, term.plus, sign=-1)


def _ends(found: Simulated | None) -> tuple[float | None, float | None]:
    return (found.low, found.high) if found else (None, None)
