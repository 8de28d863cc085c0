"""`tancang check` of a large file: the road of a night, without the file ever being in memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ingestion.streaming import large
from orchestration import check_command
from orchestration.settings import Settings

HEADER = "building_code,item_code,start_time,end_time,value,unit\n"


def readings(n_days: int, meters: int) -> str:
    lines = [
        f"B{meter},01000,2021-{1 + day // 28:02d}-{1 + day % 28:02d} {hour:02d}:00:00,"
        f"2021-{1 + day // 28:02d}-{1 + day % 28:02d} {hour:02d}:30:00,{day + hour}.25,kWh\n"
        for meter in range(meters)
        for day in range(n_days)
        for hour in range(24)
    ]
    lines[5] = lines[5].replace(".25", ".x")
    return HEADER + "".join(lines)


def facts_of(file: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    code = check_command.run(Settings(home=home), file, None, as_json=True)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, found


def test_the_streamed_road_says_what_the_general_one_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "hours.csv"
    file.write_text(readings(20, 2), encoding="utf-8")
    whole = facts_of(file, tmp_path, capsys)
    assert (whole[0], whole[1]["rows"], len(whole[1]["quarantine"])) == (0, 959, 1)

    def never(*_: object) -> None:
        raise AssertionError("a large file was read whole")

    monkeypatch.setattr(large, "FROM_BYTES", 1000)
    monkeypatch.setattr(check_command, "_read_whole", never)
    streamed = facts_of(file, tmp_path, capsys)
    for _, facts in (whole, streamed):
        for row in (*facts["quarantine"], *facts["notes"]):
            row.pop("file_id")
    assert streamed == whole


def test_a_large_file_that_no_layout_knows_is_still_told_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "other.csv"
    file.write_text("a,b\n" + "1,2\n" * 500, encoding="utf-8")
    monkeypatch.setattr(large, "FROM_BYTES", 1000)
    code, facts = facts_of(file, tmp_path, capsys)
    assert (code, facts["refusal"]["code"]) == (1, "unknown_layout")


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Ten times the bytes."""
    highest = []
    for meters in (20, 200):
        file = tmp_path / f"{meters}.csv"
        file.write_text(readings(30, meters), encoding="utf-8")
        program = (
            "import resource, sys; from pathlib import Path; from orchestration import check_command\n"
            "from ingestion.streaming import large; from orchestration.settings import Settings\n"
            "large.FROM_BYTES = 1 << 19\n"
            f"check_command.run(Settings(home=Path({str(tmp_path)!r})), Path({str(file)!r}), 'metering', as_json=True)\n"
            "print('HIGHEST', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        highest.append(int(done.stderr.split("HIGHEST ")[1].split()[0]))
    small, big = (
        file.stat().st_size >> 20 for file in sorted(tmp_path.glob("*.csv"), key=lambda f: f.stat().st_size)
    )
    assert (small, big) == (0, 8)
    assert highest[1] - highest[0] < 150
