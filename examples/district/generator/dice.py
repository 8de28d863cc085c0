"""Chance that gives the same numbers on every machine and Python version.

Belongs here: draws made of whole random integers and Decimal arithmetic, so that no result hangs on the
last bit of a C library's logarithm. Does not belong here: what is drawn.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar

T = TypeVar("T")

SEED = "tancang example district 1"


class Dice:
    """One independent stream per subject, so that a change in one leaves the others alone."""

    def __init__(self, subject: str) -> None:
        self._random = random.Random(f"{SEED}/{subject}")

    def below(self, n: int) -> int:
        return self._random.randrange(n)

    def between(self, low: str, high: str) -> Decimal:
        """Uniform between two decimal texts, in steps of one millionth."""
        span = Decimal(high) - Decimal(low)
        return Decimal(low) + span * self.below(1_000_001) / 1_000_000

    def normal(self) -> Decimal:
        """Close to a standard normal: twelve uniform draws less six."""
        return Decimal(sum(self.below(10_001) for _ in range(12)) - 60_000) / 10_000

    def factor(self, sigma: str) -> Decimal:
        """A positive factor around 1 with the given spread."""
        return (self.normal() * Decimal(sigma)).exp().quantize(Decimal("0.000001"))

    def chance(self, percent: int) -> bool:
        return self.below(100) < percent

    def pick(self, items: Sequence[T]) -> T:
        return items[self.below(len(items))]

    def some(self, items: Sequence[T], n: int) -> list[T]:
        """`n` different items, in drawn order."""
        left = list(items)
        return [left.pop(self.below(len(left))) for _ in range(n)]


def apportion(total: Decimal, weights: Sequence[Decimal], quantum: Decimal) -> list[Decimal]:
    """Split `total` by weight into multiples of `quantum` that add up to it exactly (largest remainder)."""
    units = total / quantum
    if units != units.to_integral_value():
        raise ValueError(f"{total} is no multiple of {quantum}")
    whole = sum(weights, Decimal(0))
    exact = [units * weight / whole for weight in weights]
    floors = [value.to_integral_value(rounding="ROUND_FLOOR") for value in exact]
    short = int(units - sum(floors, Decimal(0)))
    order = sorted(range(len(exact)), key=lambda index: (floors[index] - exact[index], index))
    for index in order[:short]:
        floors[index] += 1
    return [(value * quantum).quantize(quantum) for value in floors]
