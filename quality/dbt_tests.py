"""What dbt's own tests said, in the shape the runner counts.

Here belongs reading dbt's run_results.json; running dbt does not (orchestration does that).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from quality.messages import QualityError

Status = Literal["pass", "warn", "fail", "error", "skipped"]
_STATUSES: dict[str, Status] = {
    "pass": "pass", "success": "pass", "warn": "warn", "fail": "fail", "error": "error",
    "runtime error": "error", "skipped": "skipped", "partial success": "error",
}  # fmt: skip


class DbtResultsError(QualityError):
    """run_results.json is missing or not dbt's."""


@dataclass(frozen=True)
class DbtTestResult:
    """One dbt test: its name without project and hash, and the number of rows it selected."""

    name: str
    status: Status
    n_failing: int = 0
    message: str | None = None


def read_run_results(path: Path) -> list[DbtTestResult]:
    """Every data test and unit test of one dbt invocation, in order of name."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["results"]
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        raise DbtResultsError(
            f"dbt 的结果文件 {path.name} 无法读取；请重新运行夜间任务。",
            f"dbt's result file {path.name} cannot be read; run the night again.",
        ) from error
    tests = []
    for entry in entries:
        kind, _, rest = entry["unique_id"].partition(".")
        if kind not in {"test", "unit_test"}:
            continue
        tests.append(
            DbtTestResult(
                # test.<project>.<name>[.<hash>], unit_test.<project>.<model>.<name>
                name=rest.split(".")[1] if kind == "test" else rest.partition(".")[2],
                status=_STATUSES.get(entry["status"].lower(), "error"),
                n_failing=entry.get("failures") or 0,
                message=entry.get("message"),
            )
        )
    return sorted(tests, key=lambda test: (test.name, test.status, test.message or ""))
