"""Years whose figures are signed off, and what may move them afterwards: one accepted restatement at a time.

Belongs here: the models. What is held back and proposed is SQL (`core_direct_report_cells`, `core_restatement_proposal`).
"""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field


class FrozenYear(BaseModel):
    """A year that is signed off: returns received after that day are held, not counted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    year: int = Field(ge=1, le=9999)
    frozen_on: date = Field(description="the last day on which a file received still counts for the year")
    reason: str = Field(min_length=3)
    reviewer: str = Field(min_length=1)


class Restatement(BaseModel):
    """What one late file says of one institution and frozen year counts after all."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    institution: str
    year: int = Field(ge=1, le=9999)
    file: str = Field(min_length=1, description="id of the file, as `tancang queue` names it")
    reason: str = Field(min_length=3)
    reviewer: str = Field(min_length=1)

    @property
    def key(self) -> tuple[str, int, str]:
        return self.institution, self.year, self.file
