"""`tancang receipt`: the receipt of one delivered file, as the last night that read it wrote it.

Imports neither dagster nor dbt nor great_expectations.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from ingestion import archive, sender_receipts
from ingestion.archive import Receipt
from ingestion.contracts.home import Home
from ingestion.contracts.messages import Message, Refusal
from orchestration.settings import Settings


def run(settings: Settings, wanted: str, *, as_json: bool) -> int:
    """Print it. 0 when the file was read, 1 when it was refused."""
    path = settings.paths.receipts / f"{_file_id(settings.paths, wanted)}.json"
    if not path.is_file():
        raise Refusal(
            "no_receipt",
            Message(f"没有 {wanted} 的回执", f"there is no receipt of {wanted}"),
            Message(
                "运行 tancang nightly 后再看; 尚未报送的文件用 tancang check 试读",
                "run tancang nightly first; try a file that was not delivered yet with tancang check",
            ),
        )
    text = path.read_text(encoding="utf-8")
    found = json.loads(text)
    print(text if as_json else sender_receipts.page(found, settings.lang), end="")
    return 1 if found["outcome"] == "refused" else 0


def _file_id(home: Home, wanted: str) -> str:
    """The id of the last delivery that is meant: by its bytes, its name below landing, or the id itself."""
    deliveries = archive.receipts(home)
    file = Path(wanted)
    if file.is_file():
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        same = [item for item in deliveries if item.sha256 == sha256]
    else:
        same = [item for item in deliveries if wanted in _names(item)]
    return same[-1].file_id if same else wanted if wanted.isalnum() else ""


def _names(item: Receipt) -> tuple[str, str]:
    return item.path, f"{item.source}/{item.path}"
