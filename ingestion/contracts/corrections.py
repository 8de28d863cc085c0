"""Corrections as declarations: one line mends one submitted value, or the unit of a meter from a day on.

Belongs here: the model. The `expect` guard is the point of it: a correction applies only while the file
still says what the reviewer saw, so a mended source makes it fail loudly instead of being overwritten.
"""

from __future__ import annotations

from datetime import date
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ingestion.contracts.numbers import plain_number


class Correction(BaseModel):
    """One value replaced, or only its unit. A return's or audit's value: institution, item, year and period.

    A meter's unit: building, item, optionally the meter, and the days it holds for; `expect` is the unit in the file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    id: str
    source: str
    form: str | None = None
    institution: str | None = None
    building: str | None = None
    meter: str | None = None
    item: str
    year: int | None = None
    month: int | None = Field(default=None, ge=1, le=12)
    quarter: int | None = Field(default=None, ge=1, le=4)
    starts_on: date | None = None
    ends_on: date | None = Field(default=None, description="the first day on which it no longer holds")
    expect: str = Field(description="the text in the file as it was when the reviewer decided")
    value: str | None = None
    unit: str | None = Field(default=None, description="unit of the value; null keeps the submitted one")
    reason: str = Field(min_length=3)
    reviewer: str = Field(min_length=1)

    @property
    def is_of_meter(self) -> bool:
        return self.source == "metering"

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.is_of_meter:
            if not (self.building and self.starts_on and self.unit) or self.value or self.institution:
                raise ValueError(
                    "a correction of metering names building, item, starts_on and the unit, and no value"
                )
        elif not (self.institution and self.year) or self.building or self.meter or self.starts_on:
            raise ValueError("a correction names institution, item and year, or the building of a meter")
        if self.value is None and self.unit is None:
            raise ValueError("a correction gives a value, a unit, or both")
        if self.value is not None and plain_number(self.value) is None:
            raise ValueError(f"the value of a correction is a number, not {self.value!r}")
        if self.month and self.quarter:
            raise ValueError("a correction names a month or a quarter, not both")
        return self
