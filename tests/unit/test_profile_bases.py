"""A printed figure is shown beside ours only on its own basis of standard coal."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from ingestion.contracts.profile import RegionProfile


def profile(indicator: str, printed_on: str | None, headline: str = "primary") -> dict[str, Any]:
    figure = {"indicator": indicator, "year": 2021, "value": "11.56", "unit": "kgce/m2", "source": "x"}
    return {
        "id": "p",
        "region": "R",
        "regions": [{"code": "R", "name_zh": "甲", "name_en": "R", "level": "district"}],
        "method": {"coal_basis": headline},
        "published_figures": [{**figure, "coal_basis": printed_on}],
    }


@pytest.mark.parametrize(
    ("indicator", "printed_on"),
    [
        ("energy_per_area", "primary"),
        ("energy_per_area", None),
        ("energy_per_area_equivalent_kgce_m2", "equivalent"),
    ],
)
def test_a_figure_on_our_basis_is_taken(indicator: str, printed_on: str | None) -> None:
    assert RegionProfile.model_validate(profile(indicator, printed_on)).published_figures


@pytest.mark.parametrize(
    ("indicator", "printed_on", "headline"),
    [
        ("energy_per_area", "equivalent", "primary"),
        ("energy_per_capita_change", "primary", "equivalent"),
        ("energy_per_area_primary_kgce_m2", "equivalent", "equivalent"),
    ],
)
def test_a_figure_on_another_basis_is_refused(indicator: str, printed_on: str, headline: str) -> None:
    with pytest.raises(ValidationError, match=f"printed on basis {printed_on}"):
        RegionProfile.model_validate(profile(indicator, printed_on, headline))
