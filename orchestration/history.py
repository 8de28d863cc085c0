"""The home's history of nights: one JSON line each. Read by `status`, written at the end of a night."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def append(path: Path, line: dict[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as handle:
        handle.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")


def history(path: Path, last: int) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[-last:]]
