"""Fixtures that every part of the suite shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingestion.layout_files import load_layouts, shipped_folders
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


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads the settings of the person who runs it."""
    for name in [name for name in os.environ if name.startswith("TANCANG_")]:
        monkeypatch.delenv(name)
