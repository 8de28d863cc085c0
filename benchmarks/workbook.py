"""A large workbook against its parser alone: `python -m benchmarks workbook`.

130,000 institutions with 40 values each in one .xlsx of about 50 MB. The parser alone opens it and gives Python
values; ours recognises it, maps, validates, accounts and counts it a second time, without the database.
"""

from __future__ import annotations

import io
import random
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import xlsxwriter
from python_calamine import CalamineWorkbook

from benchmarks.direct_report import N_VALUES, RECEIPT
from ingestion.account import Delivery
from ingestion.layouts.files import load_layouts, shipped_folders
from ingestion.layouts.model import Layout
from ingestion.load import Rules, load
from ingestion.reference import Reference, load_reference

N_INSTITUTIONS = 130_000
GOAL = "≤ 2 × the parser alone"


def wide_workbook(path: Path, n: int, reference: Reference) -> None:
    """The wide direct report as a workbook, written in constant memory."""
    items = {code: unit or "" for (form, code), unit in reference.items.items() if form == "NY201"}
    codes = sorted(items)[:N_VALUES]
    draw = random.Random(2020)
    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_numbers": False}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(
            0, 0, ["机构代码", "单位名称", "报告期", "状态", "版次", *(f"f{code}" for code in codes)]
        )
        sheet.write_row(1, 0, ["单位", "", "", "", "", *(items[code] for code in codes)])
        for number in range(n):
            amounts = [draw.randrange(10_000_000) / 100 for _ in codes]
            key = [f"11310118MB{number:08d}", f"示例机构{number}", "2020000", "7", "1"]
            sheet.write_row(number + 2, 0, [*key, *amounts])


def rules(reference: Reference) -> Rules:
    """The shipped layout of that form, for a workbook."""
    layouts = load_layouts(shipped_folders())
    shipped = next(item for item in layouts if item.id == "direct_report.ny201_2020_f")
    return Rules([Layout.model_validate(shipped.model_dump() | {"kind": "workbook"})], reference)


def measure(runs: int = 3) -> Iterator[tuple[str, str, str]]:
    """Rows (what, goal, measured): medians of the runs."""
    reference = load_reference()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "wide.xlsx"
        wide_workbook(path, N_INSTITUTIONS, reference)
        data = path.read_bytes()
    alone, whole = [], []
    of_workbook = rules(reference)
    for _ in range(runs):
        began = _now()
        CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
        alone.append(_since(began))
        began = _now()
        loaded = load(Delivery(RECEIPT.file_id, RECEIPT.source, "wide.xlsx"), data, of_workbook)
        whole.append(_since(began))
        if loaded.n_rows != N_INSTITUTIONS * N_VALUES:
            raise SystemExit(f"{loaded.n_rows} values were read: {loaded.refusal}")
    (parser, parser_cpu), (ours, cpu) = sorted(alone)[runs // 2], sorted(whole)[runs // 2]
    yield (
        f"a workbook of {N_INSTITUTIONS * N_VALUES:,} values ({len(data) / 1e6:.0f} MB), bytes to rows",
        GOAL,
        f"{ours / parser:.1f} × ({ours:.1f} s, {cpu:.1f} CPU s; the parser alone {parser:.1f} s, {parser_cpu:.1f} CPU s)",
    )


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _since(began: tuple[float, float]) -> tuple[float, float]:
    return time.perf_counter() - began[0], time.process_time() - began[1]
