"""Corrections as declarations: one line mends one submitted value, with a reason and a reviewer.

Belongs here: the model. The `expect` guard is the point of it: a correction applies only while the file
still says what the reviewer saw, so a mended source makes it fail loudly instead of being overwritten.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Correction(BaseModel):
    """One value replaced. Key: source, form, institution, item, year, month (null = annual)."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    id: str
    source: str
    form: str | None = None
    institution: str
    item: str
    year: int
    month: int | None = None
    expect: str = Field(description="the text in the file as it was when the reviewer decided")
    value: str
    unit: str | None = Field(default=None, description="unit of the new value; null keeps the submitted one")
    reason: str = Field(min_length=3)
    reviewer: str = Field(min_length=1)
