"""Values per second from the bytes of a wide direct report to rows in the warehouse: `python -m benchmarks direct_report`.

50,000 institutions with 40 values each, one sealed file. Read, mapped, validated, accounted, counted a second time, put
to rest with its note and its account written to DuckDB, in this process and as a night does it; imports are not part of it.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path

import duckdb

from ingestion import archive, partitions, raw
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


def night(home: Home, rules: Rules) -> int:
    """Load what is sealed and write the raw tables; the number of values that stand in them."""
    receipts = archive.receipts(home)
    made_from = partitions.made_from(rules, RECEIPT.source, "1")
    with duckdb.connect() as room, duckdb.connect(str(home.warehouse)) as con:
        arrived = partitions.load_all(partitions.Room(home, rules, made_from, room), receipts)
        loaded, filed = [item.loaded for item in arrived], [item.receipt for item in arrived]
        raw.write_source(con, home, RECEIPT.source, rules.reference, loaded, filed, [])
        return int(con.execute("select count(*) from raw.direct_report__values").fetchall()[0][0])


def measure(runs: int = 3) -> Iterator[tuple[str, str, str]]:
    """Rows (what, goal, measured): medians of the runs."""
    reference = load_reference()
    rules = Rules(load_layouts(shipped_folders()), reference)
    data = wide_report(N_INSTITUTIONS, reference)
    n = N_INSTITUTIONS * N_VALUES
    rows, first, again = [], [], []
    for _ in range(runs):
        rows.append(_timed(lambda: read(data, rules).n_rows, n))
        with tempfile.TemporaryDirectory() as folder:
            home = Home(Path(folder))
            (home.landing / RECEIPT.source).mkdir(parents=True)
            (home.landing / RECEIPT.source / RECEIPT.path).write_bytes(data)
            archive.seal(home, RECEIPT.received_on)
            first.append(_timed(partial(night, home, rules), n))
            again.append(_timed(partial(night, home, rules), n))
    (to_rows, _), (whole, cpu), (kept, _) = (sorted(timings)[runs // 2] for timings in (rows, first, again))
    yield (
        f"a direct report of {n:,} values ({len(data) / 1e6:.0f} MB), bytes to warehouse",
        GOAL,
        f"{n / whole:,.0f} values/s ({whole:.2f} s, of them {to_rows:.2f} s to rows; {cpu:.1f} CPU s; "
        f"kept the next night: {kept:.2f} s)",
    )


def _timed(work: Callable[[], int], n_expected: int) -> tuple[float, float]:
    """Seconds and processor seconds of some work that ends with the number of values there should be."""
    began, began_cpu = time.perf_counter(), time.process_time()
    n = work()
    if n != n_expected:
        raise SystemExit(f"{n} values were written, {n_expected} are in the file")
    return time.perf_counter() - began, time.process_time() - began_cpu
