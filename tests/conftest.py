"""Fixtures that every part of the suite shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from ingestion.layouts.files import load_layouts, shipped_folders
from ingestion.load import Rules
from ingestion.reference import load_reference

CHECKOUT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def checkout() -> Path:
    return CHECKOUT


@pytest.fixture(scope="session")
def rules() -> Rules:
    """The shipped layouts and the examples' ones, with the shipped seeds."""
    return Rules(load_layouts([*shipped_folders(), CHECKOUT / "examples" / "layouts"]), load_reference())


class _ByFixture(LoadScopeScheduling):  # type: ignore[misc]
    """What shares whole nights stays in one worker; otherwise a file does, so that its fixtures are made once."""

    def _split_scope(self, nodeid: str) -> str:
        return "nights" if nodeid.startswith("tests/pipeline/") else nodeid.split("::", 1)[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    return _ByFixture(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The nights first: they are the longest unit of work, and whoever starts last ends last."""
    items.sort(key=lambda item: item.path.parent.name != "pipeline")


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads the settings of the person who runs it."""
    for name in [name for name in os.environ if name.startswith("TANCANG_")]:
        monkeypatch.delenv(name)
