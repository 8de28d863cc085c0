"""What the sender of a file is told about it: one page and one JSON document per delivery.

Belongs here: what came, what was recognised, what became of every record and cell, what to mend; the same bytes for
the same facts. Does not belong here: the archive's own receipts (`archive`), what a night prints.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from ingestion.archive import Receipt
from ingestion.contracts.home import Home
from ingestion.contracts.names import inert, visible
from ingestion.load import Loaded

MOST = 200
"""Lines of a list on one receipt; how many there are in all always stands beside it."""

_UNITS = {
    "record": ("记录", "records"),
    "cell": ("单元格", "cells"),
    "member": ("包内文件", "members"),
}
_QUARANTINED = ("sheet", "cell", "row_number", "unit", "reason_code", "found")
_NOTED = ("sheet", "cell", "row_number", "note_code", "found")


def facts(receipt: Receipt, loaded: Loaded | None) -> dict[str, Any]:
    """Everything a receipt says. Without `loaded` a newer file of the same name has replaced the delivery."""
    found: dict[str, Any] = {
        "file_id": receipt.file_id,
        **receipt.model_dump(mode="json"),
        "outcome": "superseded" if loaded is None else "refused" if loaded.refusal else "loaded",
    }
    if loaded is None:
        return found
    if loaded.refusal is not None:
        refusal = loaded.refusal
        found["refusal"] = {
            "code": refusal.code,
            "reason": {"zh": refusal.reason.zh, "en": refusal.reason.en},
            "mend": {"zh": refusal.mend.zh, "en": refusal.mend.en},
        }
        return found
    if loaded.layout is not None:
        layout = loaded.layout
        found["layout"] = {
            "id": layout.id,
            "title": layout.title.model_dump(),
            "form": layout.form,
            "edition": layout.edition,
        }
    found["counts"] = {
        unit: {name.removeprefix("n_"): n for name, n in counts.items()}
        for unit, counts in loaded.counts.items()
    }
    found["quarantined"] = {
        "n": loaded.quarantine.height,
        "shown": [
            {name: row[name] for name in _QUARANTINED}
            | {name: {"zh": row[f"{name}_zh"], "en": row[f"{name}_en"]} for name in ("expected", "mend")}
            for row in _first(loaded.quarantine)
        ],
    }
    found["notes"] = {
        "n": loaded.notes.height,
        "shown": [
            {name: row[name] for name in _NOTED} | {"text": {"zh": row["text_zh"], "en": row["text_en"]}}
            for row in _first(loaded.notes)
        ],
    }
    return found


def _first(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return frame.sort("sheet", "row_number", "column_number", "found").head(MOST).to_dicts()


def page(found: dict[str, Any], language: str = "both") -> str:
    """The receipt as Markdown, in Chinese (`zh`), English (`en`) or both."""

    def say(zh: str, en: str) -> str:
        return {"zh": zh, "en": en}.get(language, f"{zh} / {en}")

    def told(text: dict[str, str]) -> str:
        return _cell(say(text["zh"], text["en"]))

    outcome = {
        "loaded": ("已读取", "read"),
        "refused": ("拒收", "refused"),
        "superseded": ("已由同名新文件取代", "replaced by a newer file of the same name"),
    }[found["outcome"]]
    lines = [
        f"# {say('文件回执', 'Receipt of a file')}: {_cell(found['path'])}",
        "",
        _row(say("项目", "what"), ""),
        "|---|---|",
        _row(say("结果", "outcome"), say(*outcome)),
        _row(say("编号", "file id"), found["file_id"]),
        _row(say("来源", "source"), _cell(found["source"])),
        _row(say("收到日期", "received on"), found["received_on"]),
        _row(say("第几次报送", "delivery under this name"), found["version"]),
        _row(say("字节数", "bytes"), found["size_bytes"]),
        _row("SHA-256", found["sha256"]),
    ]
    if "layout" in found:
        layout = found["layout"]
        lines.append(_row(say("版式", "layout"), f"{_cell(layout['id'])}: {told(layout['title'])}"))
        lines.append(
            _row(say("表式与版次", "form and edition"), f"{_cell(layout['form'])} {_cell(layout['edition'])}")
        )
    for unit, n in found.get("counts", {}).items():
        sums = say(
            f"读 {n['read']} = 载入 {n['loaded']} + 隔离 {n['quarantined']} + 按规则忽略 {n['ignored']}",
            f"{n['read']} read = {n['loaded']} loaded + {n['quarantined']} quarantined + {n['ignored']} ignored by rule",
        )
        lines.append(_row(say(*_UNITS[unit]), sums))
    if "refusal" in found:
        refusal = found["refusal"]
        lines += [
            _row(say("原因", "reason"), told(refusal["reason"])),
            _row(say("改法", "mend"), told(refusal["mend"])),
        ]
    if found.get("quarantined", {}).get("n"):
        rows = [
            [_place(row), _cell(row["found"]), told(row["expected"]), told(row["mend"])]
            for row in found["quarantined"]["shown"]
        ]
        heads = [say("位置", "where"), say("发现", "found"), say("应为", "expected"), say("改法", "mend")]
        lines += _list(say("未采用的内容", "Not used"), found["quarantined"]["n"], heads, rows)
    if found.get("notes", {}).get("n"):
        rows = [[_place(row), told(row["text"]), _cell(row["found"])] for row in found["notes"]["shown"]]
        heads = [say("位置", "where"), say("说明", "note"), say("内容", "text")]
        lines += _list(say("说明", "Notes"), found["notes"]["n"], heads, rows)
    return "\n".join(lines) + "\n"


def _list(title: str, n: int, heads: list[str], rows: list[list[str]]) -> list[str]:
    shown = f"{n}" if n == len(rows) else f"{len(rows)} / {n}"
    return [
        "",
        f"## {title} ({shown})",
        "",
        _row(*heads),
        "|---" * len(heads) + "|",
        *(_row(*row) for row in rows),
    ]


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _place(row: dict[str, Any]) -> str:
    return _cell(" · ".join(str(part) for part in (row["sheet"], row["cell"] or row["row_number"]) if part))


_MARKUP = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]|"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"})


def _cell(text: object) -> str:
    """A text of a file as it may stand in a page or be pasted into a spreadsheet: no line, markup or formula of its own."""
    return inert(visible(str(text or ""))).translate(_MARKUP)


def write(home: Home, read: Iterable[tuple[Receipt, Loaded]], superseded: Iterable[Receipt]) -> None:
    """A page and a document for each delivery; what says the same already is left alone."""
    for receipt, loaded in [*read, *((item, None) for item in superseded)]:
        found = facts(receipt, loaded)
        stem = home.receipts / found["file_id"]
        _write(stem.with_suffix(".json"), json.dumps(found, ensure_ascii=False, indent=1, default=str) + "\n")
        _write(stem.with_suffix(".md"), page(found))


def _write(path: Path, text: str) -> None:
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
