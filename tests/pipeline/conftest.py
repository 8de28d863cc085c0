"""Whole nights, run once per session and shared by every test that reads them."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from nights import CHECKOUT, DISTRICT, Night, district_home, run_night


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(scope="session")
def clean(homes: Path) -> Night:
    return run_night(district_home(homes, "clean"))


@pytest.fixture(scope="session")
def defective(homes: Path) -> Night:
    return run_night(district_home(homes, "defective"))


@pytest.fixture(scope="session")
def blocked(homes: Path, clean: Night) -> tuple[Night, Night]:
    """A good night (the clean one, its home copied), then the blocking files land in the same home."""
    home = homes / "blocked"
    shutil.copytree(clean.home, home, symlinks=True)
    before = Night(home, clean.code, clean.facts, clean.said)
    shutil.copytree(DISTRICT / "blocking" / "landing", home / "landing", dirs_exist_ok=True)
    return before, run_night(home)


@pytest.fixture(scope="session")
def waived(blocked: tuple[Night, Night], homes: Path) -> Night:
    """The blocking files again, each failing rule waived by two people until the end of the year."""
    home = homes / "waived"
    shutil.copytree(blocked[1].home, home, symlinks=True)
    lines = [
        f"  - {{rule: {rule}, reason: '示例: 等待单位书面说明', evidence: 核实单.pdf, owner: 张三, "
        f"approved_by: 李四, expires_on: 2026-12-31}}"
        for rule in blocked[1].facts["failing"]
    ]
    (home / "waivers.yml").write_text("waivers:\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return run_night(home)


@pytest.fixture(scope="session")
def strangers(homes: Path) -> Night:
    home = homes / "strangers"
    shutil.copytree(CHECKOUT / "examples" / "strangers", home)
    return run_night(home, TANCANG_LAYOUTS=str(CHECKOUT / "examples" / "layouts"))


@pytest.fixture(scope="session")
def truth() -> Callable[[str], list[dict[str, str]]]:
    def read(name: str) -> list[dict[str, str]]:
        with (DISTRICT / "truth" / name).open(encoding="utf-8", newline="") as handle:
            return list(csv.DictReader(handle))

    return read
