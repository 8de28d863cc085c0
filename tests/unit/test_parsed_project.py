"""The parsed dbt project: looking whether it is newer than its sources never trips over another process that parses."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from orchestration import dbt_build


def test_the_look_at_sources_does_not_walk_what_dbt_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "target"
    (tmp_path / "models" / "core").mkdir(parents=True)
    (tmp_path / "dbt_project.yml").write_text("name: x\n")
    (tmp_path / "models" / "core" / "a.sql").write_text("select 1\n")
    monkeypatch.setattr(dbt_build, "PROJECT", tmp_path)
    monkeypatch.setattr(dbt_build, "TARGET", target)
    ended = threading.Event()

    def parse_again_and_again() -> None:
        while not ended.is_set():
            beside = target / "parsing.x" / "compiled" / "deep"
            beside.mkdir(parents=True)
            (beside / "b.sql").write_text("select 2\n")
            shutil.rmtree(target / "parsing.x")

    other = threading.Thread(target=parse_again_and_again)
    other.start()
    try:
        seen = [{path.name for path in dbt_build._sources()} for _ in range(500)]
    finally:
        ended.set()
        other.join()
    assert all(names == {"dbt_project.yml", "a.sql"} for names in seen)
