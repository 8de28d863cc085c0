"""The benchmark of readings at a small size: what it plants is found, its totals are exact, and it would notice if not."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from benchmarks import readings
from ingestion.streaming import chunks, large


def test_every_planted_line_is_found_and_every_digit_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large, "FROM_BYTES", 0)
    monkeypatch.setattr(chunks, "read", None)
    readings.generate(tmp_path, 4, 50_000, 200)
    found = readings.ours(tmp_path)
    assert readings.faults(tmp_path, found) == []
    assert len(found["quarantine"]) == 700
    assert len(found["again"]) == 100
    assert len(found["totals"]) > 100
    for spoil in ("totals", "quarantine", "again"):
        spoiled = copy.deepcopy(found)
        spoiled[spoil].pop()
        assert len(readings.faults(tmp_path, spoiled)) == 1
