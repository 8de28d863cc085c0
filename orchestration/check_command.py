"""`tancang check` and `tancang quarantine`: what would be, or was, refused, where, and how to mend it.

Imports neither dagster nor dbt nor great_expectations.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from ingestion.account import Delivery
from ingestion.contracts.identity import file_id
from ingestion.contracts.messages import Message, Refusal
from ingestion.layouts import load_layouts, shipped_folders
from ingestion.load import Loaded, Rules, load
from ingestion.reference import load_reference
from ingestion.sources import SOURCES
from orchestration.declarations import load_corrections
from orchestration.report import Teller
from orchestration.settings import CHECKOUT, Settings

_MOST = 20


def run(settings: Settings, file: Path, source: str | None, *, as_json: bool) -> int:
    """Try one file. 0 when a layout fits and the row ledger balances, 1 when the file is refused."""
    if not file.is_file():
        raise Refusal(
            "no_file",
            Message(f"没有文件 {file}", f"there is no file {file}"),
            Message("请核对路径", "look at the path"),
        )
    sources, path = _place(file, source)
    folders = [
        *shipped_folders(),
        CHECKOUT / "examples" / "layouts",
        *settings.layouts,
        settings.paths.layouts,
    ]
    rules = Rules(
        layouts=load_layouts(
            [folder for folder in dict.fromkeys(map(Path.absolute, folders)) if folder.is_dir()]
        ),
        reference=load_reference(),
        corrections=load_corrections(settings.paths.corrections),
    )
    data = file.read_bytes()
    tried = [load(Delivery(file_id(name, path, ""), name, path), data, rules) for name in sources]
    found = next((item for item in tried if item.layout), _most_telling(tried))
    balances = all(
        n["n_read"] == n["n_loaded"] + n["n_quarantined"] + n["n_ignored"] for n in found.counts.values()
    )
    if as_json:
        print(json.dumps(_facts(found, balances), ensure_ascii=False, indent=1, default=str))
    else:
        _tell(Teller(settings.lang), file, found, balances)
    return 0 if found.layout and balances else 1


def _place(file: Path, source: str | None) -> tuple[list[str], str]:
    """Sources to try, and the path below the source folder as layouts see it."""
    if source is not None and source not in SOURCES:
        raise Refusal(
            "unknown_source",
            Message(f"没有来源 {source}", f"there is no source {source}"),
            Message(f"可用: {', '.join(SOURCES)}", f"one of: {', '.join(SOURCES)}"),
        )
    parts = file.absolute().parts
    for at in range(len(parts) - 2, -1, -1):
        if parts[at] in SOURCES:
            return [source or parts[at]], "/".join(parts[at + 1 :])
    return [source] if source else list(SOURCES), file.name


def _most_telling(tried: list[Loaded]) -> Loaded:
    """The refusal that says most: a reader's own word, or the nearest layout, before «no layout»."""
    return min(
        tried,
        key=lambda item: (
            item.refusal is not None
            and item.refusal.code == "unknown_layout"
            and "nearest" not in item.refusal.reason.en,
            item.delivery.source,
        ),
    )


def _facts(found: Loaded, balances: bool) -> dict[str, Any]:
    refusal = found.refusal
    return {
        "source": found.delivery.source,
        "layout": found.layout.id if found.layout else None,
        "rows": found.n_rows,
        "counts": found.counts,
        "balances": balances,
        "refusal": None
        if refusal is None
        else {
            "code": refusal.code,
            "reason_zh": refusal.reason.zh,
            "reason_en": refusal.reason.en,
            "mend_zh": refusal.mend.zh,
            "mend_en": refusal.mend.en,
        },
        "quarantine": found.quarantine.to_dicts(),
        "notes": found.notes.to_dicts(),
    }


def _tell(teller: Teller, file: Path, found: Loaded, balances: bool) -> None:
    if found.refusal is not None:
        teller.say(f"拒收 {file.name}", f"refused {file.name}", "bold red")
        teller.message(found.refusal.reason)
        teller.message(found.refusal.mend)
        return
    assert found.layout is not None
    teller.say(
        f"版式 {found.layout.id}: {found.layout.title.zh}",
        f"layout {found.layout.id}: {found.layout.title.en}",
        "bold",
    )
    teller.say(f"数据行 {found.n_rows}", f"{found.n_rows} raw rows")
    for unit, n in found.counts.items():
        name = {"record": ("记录", "records"), "cell": ("单元格", "cells")}[unit]
        teller.say(
            f"  {name[0]}: 读 {n['n_read']} = 载入 {n['n_loaded']} + 隔离 {n['n_quarantined']} + 按规则忽略 {n['n_ignored']}",
            f"{name[1]}: {n['n_read']} read = {n['n_loaded']} loaded + {n['n_quarantined']} quarantined + {n['n_ignored']} ignored by rule",
        )
    if not balances:
        teller.say(
            "台账不平: 请把该文件交给维护者",
            "the ledger does not balance: hand this file to the maintainers",
            "bold red",
        )
    for row in found.notes.head(_MOST).to_dicts():
        teller.say(
            f"  {row['cell'] or row['row_number']}: {row['text_zh']} “{row['found']}”",
            f"{row['cell'] or row['row_number']}: {row['text_en']} “{row['found']}”",
            "yellow",
        )
    _tell_rows(teller, found.quarantine.head(_MOST).to_dicts(), found.quarantine.height)


def _tell_rows(teller: Teller, rows: list[dict[str, Any]], n_all: int) -> None:
    for row in rows:
        where = " · ".join(
            str(part) for part in (row.get("path"), row["sheet"], row["cell"] or row["row_number"]) if part
        )
        teller.plain(f"  {where}  {row['reason_code']}", "yellow")
        teller.say(
            f"      发现 “{row['found'] or ''}”, 应为{row['expected_zh']}; {row['mend_zh']}",
            f"found “{row['found'] or ''}”, expected {row['expected_en']}; {row['mend_en']}",
        )
    if n_all > len(rows):
        teller.say(f"  … 共 {n_all} 项", f"… {n_all} in all")


def quarantine(settings: Settings, export: Path | None, *, as_json: bool) -> int:
    """Everything the last night quarantined. Reads the writer's warehouse, so not while a night runs."""
    import duckdb

    path = settings.paths.warehouse
    if not path.is_file():
        raise Refusal(
            "no_night",
            Message("还没有运行过", "no night has run yet"),
            Message("运行 tancang nightly", "run tancang nightly"),
        )
    try:
        con = duckdb.connect(str(path), read_only=True)
    except duckdb.IOException as error:
        raise Refusal(
            "busy",
            Message("一夜正在运行", "a night is running"),
            Message("请稍后再试", "try again when it is over"),
        ) from error
    with con:
        result = con.execute("select * from raw.quarantine order by path, sheet, row_number, column_number")
        names = [column[0] for column in result.description or []]
        rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    if export is not None:
        with export.open("w", encoding="utf-8-sig", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(names)
            writer.writerows([[_safe(row[name]) for name in names] for row in rows])
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=1, default=str))
    else:
        teller = Teller(settings.lang)
        teller.say(f"隔离 {len(rows)} 项", f"{len(rows)} quarantined")
        _tell_rows(teller, rows[:_MOST], len(rows))
    return 0


def _safe(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula is quoted; numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
