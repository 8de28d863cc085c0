"""Which source an annual amount is taken from: by declaration of the region, and for one key by a reviewer's line.

Belongs here: the models. Which amounts there are and which one that makes is SQL (`core_source_choice`).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import chain
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Source = Literal["reported", "metered", "audited", "none"]
Rank = Source | tuple[Source, ...]


class Precedence(BaseModel):
    """For carriers of a region and all below it: the sources in order. Sources of one rank stand in one list.

    `none`, last and alone, says that nothing enters where no source before it has an amount; without it that is undecided.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    region: str | None = None
    carriers: tuple[str, ...] = Field(min_length=1)
    sources: tuple[Rank, ...] = Field(min_length=1)
    tolerance_share: Decimal | None = Field(default=None, ge=0, le=1, decimal_places=8)
    document: str = Field(min_length=3, description="who decided that, and where it is written")

    @property
    def ranks(self) -> list[tuple[str, ...]]:
        return [(rank,) if isinstance(rank, str) else rank for rank in self.sources]

    @field_validator("sources")
    @classmethod
    def _is_an_order(cls, sources: tuple[Rank, ...]) -> tuple[Rank, ...]:
        named = list(chain.from_iterable((rank,) if isinstance(rank, str) else rank for rank in sources))
        if len(named) != len(set(named)) or not all(sources):
            raise ValueError("every source stands once and no rank is empty / 每个来源只写一次, 同级不得为空")
        if "none" in named and sources[-1] != "none":
            raise ValueError("none stands last and alone / none 须单独写在最后")
        return sources


class PrecedenceOverride(BaseModel):
    """One institution, carrier and year for which another source counts than the precedence says."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    id: str
    institution: str
    carrier: str
    year: int = Field(ge=1, le=9999)
    source: Source
    expect: Decimal | None = Field(
        default=None,
        max_digits=18,
        decimal_places=4,
        description="amount of that source, in the carrier's unit, when the reviewer decided",
    )
    reason: str = Field(min_length=3)
    reviewer: str = Field(min_length=1)
    expires_on: date | None = Field(default=None, description="the last day on which it holds")

    @field_validator("expect", mode="before")
    @classmethod
    def _is_exact(cls, found: Any) -> Any:
        # a YAML float has lost its decimals before anybody can look at them
        return str(found) if isinstance(found, float) else found

    @field_validator("expect")
    @classmethod
    def _is_finite(cls, found: Decimal | None) -> Decimal | None:
        if found is not None and not found.is_finite():
            raise ValueError("expect is a plain number / expect 须为普通数字")
        return found
