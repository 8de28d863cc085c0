"""The hand-worked cases of the SQL: dbt's own unit tests, on the schemas of a real night."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from nights import CHECKOUT, Night


def test_hand_worked_cases_hold(clean: Night, tmp_path: Path) -> None:
    shutil.copyfile(clean.home / "warehouse.duckdb", tmp_path / "warehouse.duckdb")
    project = str(CHECKOUT / "dbt_project")
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "dbt"),
            "test",
            "--select",
            "test_type:unit",
            "--no-use-colors",
            "--project-dir",
            project,
            "--profiles-dir",
            project,
            "--target-path",
            str(tmp_path / "target"),
            "--log-path",
            str(tmp_path / "target"),
        ],
        env={
            **os.environ,
            "TANCANG_WAREHOUSE": str(tmp_path / "warehouse.duckdb"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    found = re.search(r"Done\. PASS=(\d+) WARN=0 ERROR=0 SKIP=0", done.stdout)
    assert found, done.stdout[-3000:]
    assert int(found.group(1)) >= 10
