"""A group of regions is declared in the profile; whatever would count a region twice is refused there."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from ingestion.contracts.profile import RegionProfile

TREE = [("P", None), ("D", "P"), ("T1", "D"), ("T2", "D")]


def profile(*members: str, code: str = "zone", level: str = "district") -> dict[str, Any]:
    return {
        "id": "p",
        "region": "D",
        "regions": [
            {"code": name, "name_zh": "甲", "name_en": name, "level": level, "parent": parent}
            for name, parent in TREE
        ],
        "groups": [
            {
                "code": code,
                "name_zh": "示范区",
                "name_en": "zone",
                "members": [
                    {"region": member, "source": "x", "valid_from": "2019-10-25"} for member in members
                ],
            }
        ],
    }


def test_members_lie_in_this_home_or_in_another() -> None:
    (group,) = RegionProfile.model_validate(profile("T1", "320509")).groups
    assert [member.region for member in group.members] == ["T1", "320509"]


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (profile("T1", "T2", "T1"), "T1 is a member twice"),
        (profile("T1", "D"), "T1 is a member twice"),
        (profile("P", "T2"), "T2 is a member twice"),
        (profile("T1", code="D"), "a group has the code of a region"),
        (profile(), "at least 1 item"),
        (profile("T1", level="group"), "level group is that of groups"),
    ],
)
def test_what_would_count_twice_is_refused(declared: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        RegionProfile.model_validate(declared)
