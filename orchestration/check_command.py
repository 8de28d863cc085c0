"""`tancang check` and `tancang quarantine`: what would be, or was, refused, where, and how to mend it.

Imports neither dagster nor dbt nor great_expectations.
"""

from __future__ import annotations

import csv
import hashlib
import json
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from ingestion import matched
from ingestion.account import Delivery
from ingestion.archive import Receipt
from ingestion.contracts.identity import file_id
from ingestion.contracts.messages import Message, Refusal
from ingestion.contracts.names import inert, visible
from ingestion.deliveries import MEMBER, load_delivery
from ingestion.layouts.files import load_layouts, shipped_folders
from ingestion.load import Loaded, Rules
from ingestion.matching.settling import Matching
from ingestion.readers.archives import SEPARATOR
from ingestion.reference import load_reference
from ingestion.sources import SOURCES
from orchestration.declarations import load_codes, load_corrections, load_matches
from orchestration.reading_room import reading_room
from orchestration.report import Teller
from orchestration.settings import CHECKOUT, Settings
from orchestration.warehouse_reader import open_warehouse

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
        codes=load_codes(settings.paths.codes),
    )
    if any(spec.institution_found_by for layout in rules.layouts for spec in layout.tables):
        rules.matching = _matching(settings)
    files = _streamed(settings, file, path, sources, rules) or _read_whole(file, path, sources, rules)
    if as_json:
        facts = [_facts(item) for item in files]
        whole = facts[0] | ({"members": facts[1:]} if facts[1:] else {})
        print(json.dumps(whole, ensure_ascii=False, indent=1, default=str))
    else:
        for item in files:
            _tell(Teller(settings.lang), file, item)
    return 0 if all(item.refusal is None and _balances(item) for item in files) else 1


def _matching(settings: Settings) -> Matching | None:
    """The register of the last night; without one every line that has no key waits."""
    if not settings.paths.warehouse.is_file():
        return None
    with open_warehouse(settings) as con:
        regions = con.execute("select region_code, region_name_zh from raw.profile_regions").fetchall()
        return matched.matching(con, regions, load_matches(settings.paths.matches))


def _streamed(
    settings: Settings, file: Path, path: str, sources: list[str], rules: Rules
) -> list[Loaded] | None:
    """A large file on the road that a night takes, piece by piece; None when it must be read whole."""
    from ingestion.streaming import large

    if file.stat().st_size < large.FROM_BYTES:
        return None
    with file.open("rb") as handle:
        sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
    with (
        tempfile.TemporaryDirectory(prefix="tancang-check-") as scratch,
        reading_room(settings, Path(scratch) / "spill") as con,
    ):
        for source in sources:
            delivery = Delivery(file_id(source, path, sha256), source, path)
            target = Path(scratch) / f"{source}.parquet"
            found = large.load_large(con, delivery, file, sha256, rules, target)
            if found is not None:
                return [found]
    return None


def _read_whole(file: Path, path: str, sources: list[str], rules: Rules) -> list[Loaded]:
    data = file.read_bytes()
    tried = [_files(data, path, name, rules) for name in sources]
    files = next((items for items in tried if any(item.layout for item in items)), None)
    return files or [_most_telling([items[0] for items in tried])]


def _files(data: bytes, path: str, source: str, rules: Rules) -> list[Loaded]:
    """The file, or the container and its members."""
    receipt = Receipt(
        source=source, path=path, sha256="", size_bytes=len(data), received_on=date.today(), version=1
    )
    return [item.loaded for item in load_delivery(receipt, data, rules)]


def _balances(found: Loaded) -> bool:
    return all(
        n["n_read"] == n["n_loaded"] + n["n_quarantined"] + n["n_ignored"] for n in found.counts.values()
    )


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
            return [source or parts[at]], visible("/".join(parts[at + 1 :]))
    return [source] if source else list(SOURCES), visible(file.name)


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


def _facts(found: Loaded) -> dict[str, Any]:
    refusal = found.refusal
    return {
        "path": found.delivery.path,
        "source": found.delivery.source,
        "layout": found.layout.id if found.layout else None,
        "rows": found.n_rows,
        "counts": found.counts,
        "balances": _balances(found),
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


_UNITS = {"record": ("记录", "records"), "cell": ("单元格", "cells"), MEMBER: ("包内文件", "members")}


def _tell(teller: Teller, file: Path, found: Loaded) -> None:
    _, is_member, member = found.delivery.path.rpartition(SEPARATOR)
    name = member if is_member else visible(file.name)
    if found.refusal is not None:
        teller.say(f"拒收 {name}", f"refused {name}", "bold red")
        teller.message(found.refusal.reason)
        teller.message(found.refusal.mend)
        return
    if found.layout is None:
        teller.say(f"压缩包 {name}", f"archive {name}", "bold")
    else:
        of_member = f"{member}  " if is_member else ""
        teller.say(
            f"{of_member}版式 {found.layout.id}: {found.layout.title.zh}",
            f"{of_member}layout {found.layout.id}: {found.layout.title.en}",
            "bold",
        )
        teller.say(f"数据行 {found.n_rows}", f"{found.n_rows} raw rows")
    for unit, n in found.counts.items():
        what = _UNITS[unit]
        teller.say(
            f"  {what[0]}: 读 {n['n_read']} = 载入 {n['n_loaded']} + 隔离 {n['n_quarantined']} + 按规则忽略 {n['n_ignored']}",
            f"{what[1]}: {n['n_read']} read = {n['n_loaded']} loaded + {n['n_quarantined']} quarantined + {n['n_ignored']} ignored by rule",
        )
    if not _balances(found):
        teller.say(
            "台账不平: 请把该文件交给维护者",
            "the ledger does not balance: hand this file to the maintainers",
            "bold red",
        )
    for row in found.notes.head(_MOST).to_dicts():
        teller.say(
            f"  {_place_of(row)}{row['text_zh']} “{row['found']}”",
            f"{_place_of(row)}{row['text_en']} “{row['found']}”",
            "yellow",
        )
    _tell_rows(teller, found.quarantine.head(_MOST).to_dicts(), found.quarantine.height)


def _place_of(row: dict[str, Any]) -> str:
    place = row["cell"] or row["row_number"]
    return f"{place}: " if place else ""


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
    with open_warehouse(settings) as con:
        result = con.execute("select * from raw.quarantine order by path, sheet, row_number, column_number")
        names = [column[0] for column in result.description or []]
        rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    if export is not None:
        with export.open("w", encoding="utf-8-sig", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(names)
            writer.writerows([[_inert(row[name]) for name in names] for row in rows])
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=1, default=str))
    else:
        teller = Teller(settings.lang)
        teller.say(f"隔离 {len(rows)} 项", f"{len(rows)} quarantined")
        _tell_rows(teller, rows[:_MOST], len(rows))
    return 0


def _inert(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula is quoted; numbers stay numbers."""
    return inert(value) if isinstance(value, str) else value
