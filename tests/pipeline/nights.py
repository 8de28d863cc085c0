"""Running whole nights through the command line, as a user or the scheduler runs them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

CHECKOUT = Path(__file__).parents[2]
DISTRICT = CHECKOUT / "examples" / "district"
AS_OF = "2026-11-20"
TANCANG = str(Path(sys.executable).parent / "tancang")


@dataclass
class Night:
    """How one night ended: exit code, its JSON, what it said to the person."""

    home: Path
    code: int
    facts: dict[str, Any]
    said: str

    @property
    def release(self) -> Path:
        return (self.home / "current").resolve()

    def published(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.release / "inventory.duckdb"), read_only=True) as con:
            return con.execute(query, list(parameters)).fetchall()

    def warehouse(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.home / "warehouse.duckdb"), read_only=True) as con:
            return con.execute(query, list(parameters)).fetchall()


def run_night(home: Path, *arguments: str, **environment: str) -> Night:
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("TANCANG_", "DAGSTER_"))
    }
    done = subprocess.run(
        [TANCANG, "nightly", "--home", str(home), "--as-of", AS_OF, "--json", *arguments],
        cwd=CHECKOUT,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert "Traceback" not in done.stderr, done.stderr[-3000:]
    facts = json.loads(done.stdout) if done.stdout.strip().startswith("{") else {}
    return Night(home, done.returncode, facts, done.stderr)


def district_home(root: Path, world: str) -> Path:
    """A home of its own with one of the example's worlds in it."""
    home = root / world
    shutil.copytree(DISTRICT / world, home)
    (home / "profiles").mkdir()
    shutil.copyfile(DISTRICT / "profile.yml", home / "profiles" / "example.yml")
    return home
