"""Monte Carlo of sums whose terms share factor rows (definition 20, approach 2): numbers in, intervals out.

Belongs here: distributions, draws, percentiles; numpy only. Does not belong here: where terms come from and where
intervals are kept (uncertainty.py).

Each factor row is drawn once per iteration, from a stream of its own that only the seed and its id decide, whatever else
is simulated and in whatever order. Amounts come summed by chain of factor rows, so the cost does not grow with the
number of institutions; their joint error is drawn once per chain and year. Figures are judged one by one: nothing is
said about two regions together.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

Draws = npt.NDArray[np.float64]
Key = TypeVar("Key", bound=Hashable)

_TAIL = 0.025
"""Each side of a 95 % interval."""
_HALF_WIDTH_SIGMAS = NormalDist().inv_cdf(1 - _TAIL)
_DIGITS = 9
"""Significant digits that are kept. The draws decide three or four; beyond nine, processors differ in the last bits of a
sum of products, and a release must have the same bytes everywhere."""
_BLOCK = 16
"""Figures whose draws a worker holds at a time: 26 MB at 200,000 draws."""
_WORKERS = 2


@dataclass(frozen=True)
class Interval:
    """The 95 % interval of a factor row around its value, in percent."""

    minus_pct: float
    plus_pct: float
    distribution: str = "normal"


@dataclass(frozen=True)
class Term:
    """What a figure holds of one chain of factor rows: the sum, and the half-widths that errors of amounts give it."""

    chain: tuple[str, ...]
    stream: str
    amount: float
    minus: float
    plus: float
    sign: int = 1


@dataclass(frozen=True)
class Simulated:
    """2.5 and 97.5 percentile and mean of a figure."""

    low: float
    high: float
    mean: float


def can_draw(interval: Interval) -> bool:
    """Is the distribution one that draws are made from?"""
    return interval.distribution in _MULTIPLIERS


def simulate(
    figures: Mapping[Key, Sequence[Term]], intervals: Mapping[str, Interval], n_draws: int, seed: int
) -> dict[Key, Simulated]:
    """The interval of every figure. Each row of a chain must have an interval that can be drawn from."""
    columns = sorted({column for terms in figures.values() for term in terms for column in _columns_of(term)})
    place = {column: i for i, column in enumerate(columns)}
    weights = np.zeros((len(figures), len(columns)))
    for i, terms in enumerate(figures.values()):
        for term in terms:
            # a stream of amounts errs by its halves; taken away, it errs the other way
            for column, weight in zip(_columns_of(term), (term.amount, term.plus, term.minus), strict=True):
                weights[i, place[column]] += term.sign * weight
    drawn = _drawn(columns, intervals, n_draws, seed)
    blocks = [weights[start : start + _BLOCK] for start in range(0, len(weights), _BLOCK)]
    # numpy lets go of the interpreter while it multiplies and sorts; the blocks come back in their order
    with ThreadPoolExecutor(_WORKERS) as pool:
        found = [one for judged in pool.map(lambda block: _judged(block @ drawn), blocks) for one in judged]
    return dict(zip(figures, found, strict=True))


_Column = tuple[tuple[str, ...], str, Literal["level", "above", "below"]]
"""What figures are weighted sums of: the rows of a chain multiplied, and the errors of amounts above and below, each times
the rows that the amounts are multiplied with."""


def _columns_of(term: Term) -> tuple[_Column, _Column, _Column]:
    return (term.chain, "", "level"), (term.chain, term.stream, "above"), (term.chain, term.stream, "below")


def _drawn(columns: Sequence[_Column], intervals: Mapping[str, Interval], n_draws: int, seed: int) -> Draws:
    def normals(stream: str) -> Draws:
        return _normals(seed, stream, n_draws)

    names = {name for chain, _, _ in columns for name in chain}
    rows = {
        name: _MULTIPLIERS[intervals[name].distribution](intervals[name], normals(f"row {name}"))
        for name in sorted(names)
    }
    amounts = {
        (chain, stream): normals(f"amounts of {stream} by {' x '.join(chain)}") / _HALF_WIDTH_SIGMAS
        for chain, stream, side in columns
        if side == "above"
    }
    found = np.ones((len(columns), n_draws))
    for column, (chain, stream, side) in zip(found, columns, strict=True):
        if side == "above":
            np.maximum(amounts[chain, stream], 0, out=column)
        elif side == "below":
            np.minimum(amounts[chain, stream], 0, out=column)
        for name in chain:
            column *= rows[name]
    return found


def _normals(seed: int, stream: str, n_draws: int) -> Draws:
    words = np.frombuffer(hashlib.sha256(stream.encode()).digest(), dtype="<u4").tolist()
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, *words]))).standard_normal(
        n_draws
    )


def _two_piece_normal(interval: Interval, drawn: Draws) -> Draws:
    """Half of the draws on each side of the value, each side with its own half-width; never below nothing."""
    half = np.where(drawn >= 0, interval.plus_pct, interval.minus_pct) / 100
    multiplier: Draws = np.maximum(1 + half * drawn / _HALF_WIDTH_SIGMAS, 0)
    return multiplier


def _lognormal(interval: Interval, drawn: Draws) -> Draws:
    """The value is the median, the upper end the 97.5 percentile: sigma = ln(high / central) / 1.96."""
    multiplier: Draws = np.exp(np.log1p(interval.plus_pct / 100) * drawn / _HALF_WIDTH_SIGMAS)
    return multiplier


_MULTIPLIERS: Mapping[str, Callable[[Interval, Draws], Draws]] = {
    "normal": _two_piece_normal,
    "lognormal": _lognormal,
}


def _judged(draws: Draws) -> list[Simulated]:
    """Of each row: percentiles between the two draws on either side of them, and the mean."""
    last = draws.shape[1] - 1
    places = [last * _TAIL, last * (1 - _TAIL)]
    beside = [n for place in places for n in (math.floor(place), math.ceil(place))]
    means = draws.mean(axis=1)
    draws.partition(sorted(set(beside)), axis=1)
    low, high = (
        draws[:, below] + (place - below) * (draws[:, above] - draws[:, below])
        for place, below, above in zip(places, beside[::2], beside[1::2], strict=True)
    )
    return [Simulated(_kept(a), _kept(b), _kept(mean)) for a, b, mean in zip(low, high, means, strict=True)]


def _kept(number: float) -> float:
    return float(f"{float(number):.{_DIGITS}g}")
