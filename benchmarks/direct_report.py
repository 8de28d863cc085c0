"""Values per second from the bytes of a wide direct report to rows in the warehouse: `python -m benchmarks direct_report`.

50,000 institutions with 40 values each, one file. Read, mapped, validated, accounted, counted a second time and
written to DuckDB, in this process; imports are not part of it.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb

from ingestion import raw
from ingestion.account import Delivery
from ingestion.archive import Receipt
from ingestion.contracts.home import Home
from ingestion.layouts.files import load_layouts, shipped_folders
from ingestion.load import Loaded, Rules, load
from ingestion.reference import Reference, load_reference

N_INSTITUTIONS = 50_000
N_VALUES = 40
GOAL = "≥ 1,000,000 values/s"


def wide_report(n: int, reference: Reference) -> bytes:
    """A yearly return in the `f` shape: three key columns, 40 amounts with up to two decimals, units on line 2."""
    items = {code: unit or "" for (form, code), unit in reference.items.items() if form == "NY201"}
    codes = sorted(items)[:N_VALUES]
    lines = [
        "机构代码,单位名称,报告期,状态,版次," + ",".join(f"f{code}" for code in codes),
        "单位,,,,," + ",".join(items[code] for code in codes),
    ]
    draw = random.Random(2020)
    for number in range(n):
        amounts = ",".join(f"{draw.randrange(10_000_000) / 100:.2f}" for _ in codes)
        lines.append(f"11310118MB{number:08d},示例机构{number},2020000,7,1,{amounts}")
    return ("\r\n".join(lines) + "\r\n").encode()


RECEIPT = Receipt(
    source="direct_report",
    path="wide.csv",
    sha256="0" * 64,
    size_bytes=0,
    received_on=date(2021, 1, 1),
    version=1,
)


def read(data: bytes, rules: Rules) -> Loaded:
    return load(Delivery(RECEIPT.file_id, RECEIPT.source, RECEIPT.path), data, rules)


def write(loaded: Loaded, reference: Reference, folder: Path) -> int:
    """Write one file as the night does; the number of its values that stand in the table."""
    with duckdb.connect(str(folder / "warehouse.duckdb")) as con:
        raw.write_source(con, Home(folder), RECEIPT.source, reference, [loaded], [RECEIPT], [])
        return int(con.execute("select count(*) from raw.direct_report__values").fetchall()[0][0])


def measure(runs: int = 3) -> Iterator[tuple[str, str, str]]:
    """Rows (what, goal, measured): median of the runs."""
    reference = load_reference()
    rules = Rules(load_layouts(shipped_folders()), reference)
    data = wide_report(N_INSTITUTIONS, reference)
    timings = []
    for _ in range(runs):
        began, began_cpu = time.perf_counter(), time.process_time()
        loaded = read(data, rules)
        to_rows = time.perf_counter() - began
        with tempfile.TemporaryDirectory() as folder:
            n = write(loaded, reference, Path(folder))
        if n != N_INSTITUTIONS * N_VALUES:
            raise SystemExit(f"{n} values were written, {N_INSTITUTIONS * N_VALUES} are in the file")
        timings.append((time.perf_counter() - began, to_rows, time.process_time() - began_cpu))
    whole, to_rows, cpu = sorted(timings)[runs // 2]
    yield (
        f"a direct report of {n:,} values ({len(data) / 1e6:.0f} MB), bytes to warehouse",
        GOAL,
        f"{n / whole:,.0f} values/s ({whole:.1f} s, of them {to_rows:.1f} s to rows; {cpu:.1f} CPU s)",
    )
