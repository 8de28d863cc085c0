"""What a layout says of readings that cannot be right: which rule mends them, or sets them aside.

Belongs here: the options, their validation, their row in `raw.reading_rules`. Does not belong here: the repair itself
(SQL, `core_reading_repair`): a file is landed as it is, and every changed value stands beside the one that was read.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class GapRule(BaseModel):
    """How spans without a sound reading are filled, and how long such a span may be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fill: Literal["linear", "same_hour"]
    longest_hours: int = Field(gt=0, le=24 * 62)
    weeks: int = Field(default=2, gt=0, le=8, description="same_hour: weeks before and after that may give")


class ReadingRules(BaseModel):
    """Every option is off until a layout names it: what a rule would do to a file is the owner's to decide."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    register_digits: int | None = Field(default=None, ge=2, le=12, description="it goes on from 0 at 10^n")
    register_reset: Literal["from_zero"] | None = None
    negative: Literal["missing"] | None = None
    impossible_above_per_hour: Decimal | None = Field(default=None, gt=0, description="in the reading's unit")
    zero: Literal["missing"] | None = None
    stuck_after: int | None = Field(default=None, ge=2, description="so many equal readings in a row")
    gaps: GapRule | None = None
    duplicates: Literal["newest"] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> ReadingRules:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise ValueError("readings: names no option")
        return self

    @property
    def admits_negatives(self) -> bool:
        return self.negative is not None


COLUMNS = """layout_id VARCHAR, register_capacity DECIMAL(18,4), register_reset VARCHAR, negative VARCHAR,
    impossible_above_per_hour DECIMAL(18,4), zero VARCHAR, stuck_after INTEGER, gap_fill VARCHAR,
    gap_longest_hours INTEGER, gap_weeks INTEGER, duplicates VARCHAR"""


def rows(declared: Iterable[tuple[str, ReadingRules | None]]) -> list[tuple[object, ...]]:
    """One row per layout that has options, in the order of `COLUMNS`."""
    return [
        (
            layout_id,
            Decimal(10) ** rules.register_digits if rules.register_digits else None,
            rules.register_reset,
            rules.negative,
            rules.impossible_above_per_hour,
            rules.zero,
            rules.stuck_after,
            rules.gaps.fill if rules.gaps else None,
            rules.gaps.longest_hours if rules.gaps else None,
            rules.gaps.weeks if rules.gaps else None,
            rules.duplicates,
        )
        for layout_id, rules in declared
        if rules is not None
    ]
