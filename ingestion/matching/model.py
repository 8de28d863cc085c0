"""The declared model of `model.yml`: prior, thresholds, what each agreement is worth, what brings candidates.

Belongs here: reading it, and its form for Splink. Does not belong here: numbers of the method (they stand in the file).
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ingestion.contracts import yaml_text
from ingestion.matching.names import HERE


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Level(_Strict):
    """How one comparison can turn out. The last level of a comparison has no condition."""

    label: str
    says: Literal["agrees", "differs"]
    m: float = Field(gt=0, lt=1)
    u: float = Field(gt=0, lt=1)
    when: str = "ELSE"


class Comparison(_Strict):
    silent: str
    levels: list[Level]


class Candidates(_Strict):
    """Which pairs are weighed at all."""

    when: str
    each: str | None = None


class Model(_Strict):
    """Everything that decides how rows are matched."""

    prior: float = Field(gt=0, lt=1)
    sure_weight: float
    rival_margin: float = Field(gt=0)
    least_weight: float
    possible_weight: float
    shown_rivals: int = Field(ge=1)
    rare_pieces: int = Field(ge=1)
    most_per_piece: int = Field(ge=1)
    common_prefix_share: float = Field(gt=0, le=1)
    comparisons: dict[str, Comparison]
    candidates: list[Candidates]

    @property
    def prior_weight(self) -> float:
        return math.log2(self.prior / (1 - self.prior))

    def settings(self) -> dict[str, Any]:
        """The model as Splink takes it; nothing is estimated from the data, so rows never change each other's score."""
        return {
            "link_type": "link_only",
            "unique_id_column_name": "unique_id",
            "probability_two_random_records_match": self.prior,
            "retain_matching_columns": True,
            "comparisons": [
                {
                    "output_column_name": name,
                    "comparison_levels": [
                        {"sql_condition": item.silent, "is_null_level": True, "label_for_charts": "silent"},
                        *(
                            {
                                "sql_condition": level.when,
                                "label_for_charts": level.label,
                                "m_probability": level.m,
                                "u_probability": level.u,
                            }
                            for level in item.levels
                        ),
                    ],
                }
                for name, item in self.comparisons.items()
            ],
            "blocking_rules_to_generate_predictions": [
                {"blocking_rule": rule.when, **({"arrays_to_explode": [rule.each]} if rule.each else {})}
                for rule in self.candidates
            ],
        }

    def labels(self, says: str) -> str:
        """SQL for the list of what agreed, or differed, in a scored pair (`gamma_<comparison>` counts from the last level)."""
        cases = [
            f"case gamma_{name} "
            + " ".join(
                f"when {len(item.levels) - 1 - at} then '{level.label}'"
                for at, level in enumerate(item.levels)
                if level.says == says
            )
            + " end"
            for name, item in self.comparisons.items()
        ]
        return f"list_filter([{', '.join(cases)}], lambda said : said is not null)"


@cache
def load_model() -> Model:
    """The model that is shipped."""
    return Model.model_validate(yaml_text.parsed((HERE / "model.yml").read_text(encoding="utf-8")))
