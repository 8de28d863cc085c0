"""Code mappings as declarations: one line says what an unknown code of a sender means, for all its rows.

Belongs here: the model. The seeds say which codes there are; a mapping only leads to one of them.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

CodeKind = Literal["item", "unit", "institution_type", "region"]


class CodeMapping(BaseModel):
    """`found`, wherever this source (and form) writes it, is read as `means`."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    source: str
    form: str | None = None
    kind: CodeKind
    found: str = Field(min_length=1, description="the code as the file writes it")
    means: str = Field(min_length=1, description="the known code, or the known spelling of a unit")
    reason: str = Field(min_length=3)
    reviewer: str = Field(min_length=1)
    since: date = Field(description="day of the decision")

    @property
    def key(self) -> tuple[str, str | None, str, str]:
        """What no two mappings may share."""
        return self.source, self.form, self.kind, self.found
