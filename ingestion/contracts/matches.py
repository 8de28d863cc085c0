"""Decisions on matches as declarations: one line says which register entry a row without its key means.

Belongs here: the model. Does not belong here: weighing (matching), what an entry is (the register).
"""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field, model_validator

NONE = "none"
"""`means` of a row that means no entry of the register."""
SAID = ("code", "name", "region", "address")


class MatchDecision(BaseModel):
    """Every row of this source that says exactly this means the entry `means`, or none."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    source: str
    code: str | None = Field(default=None, description="the code as the file writes it")
    name: str | None = None
    region: str | None = None
    address: str | None = None
    means: str = Field(min_length=1, description="institution_id of the register, or none")
    reason: str = Field(min_length=3)
    reviewer: str = Field(min_length=1)
    since: date = Field(description="day of the decision")

    @property
    def said(self) -> tuple[str | None, ...]:
        """What a row must say, as in the file."""
        return self.code, self.name, self.region, self.address

    @property
    def key(self) -> tuple[str | None, ...]:
        """What no two decisions may share."""
        return self.source, *self.said

    @model_validator(mode="after")
    def _names_a_row(self) -> MatchDecision:
        if not any(self.said):
            raise ValueError(f"a decision names a row by one of {', '.join(SAID)}")
        return self
