"""Twenty million interval readings against bare DuckDB on the same files: `python -m benchmarks.readings`.

Bare DuckDB reads the CSV with doubles, skips what it cannot read, writes Parquet and sums by meter and month. The product
seals, loads, accounts, quarantines and sums the same files. Each runs in a process of its own, one after the other;
time is taken without imports, memory is that of the whole process. Every planted line and every digit is checked.
"""

from __future__ import annotations

import json
import sys
import tempfile
from datetime import date
from decimal import Decimal
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import duckdb
import yaml

from benchmarks import apart
from ingestion import archive, partitions, raw
from ingestion.contracts.home import Home
from ingestion.layouts.model import Layout
from ingestion.load import Rules
from ingestion.reference import load_reference

MEANING = (
    "Readings: one process each, imports left out, on the same files; bare DuckDB reads doubles, loses bad lines in silence and keeps\n"
    "no line numbers. All planted lines were found at their line, totals agree to the digit (`benchmarks/readings.py`)."
)
N_FILES, N_ROWS, N_BAD = 20, 1_000_000, 1_000
SEED = 20210101
LAYOUT = """
id: bench.long
title: {zh: 长表, en: one reading per line}
source: metering
target: readings
reading_kind: interval
form: bench
edition: "1"
kind: delimited
recognise: {columns: [表号, 时刻, 电量]}
tables:
  - interval_minutes: 15
    headers: {表号: [meter], 时刻: [time], 电量: [kwh]}
    fields:
      meter_id: {column: 表号, matches: '[M表][0-9]{5}'}
      building_code: {constant: B1}
      starts_at: {column: 时刻, kind: datetime}
    values:
      - {columns: 电量, item: '01000', unit: {constant: kWh}}
"""
KINDS = [
    "negative_amount", "missing_reading", "not_a_number", "bad_starts_at", "bad_meter_id", "cell_without_header",
    "missing_reading", "repeated",
]  # fmt: skip
"""What becomes of the eight kinds of planted lines; the last one stands twice."""
_LINES = """
    select meter, stamp, amount, kind,
        case kind
            when 0 then concat_ws(',', meter, stamp, '-' || amount)
            when 1 then concat_ws(',', meter, stamp, '')
            when 2 then concat_ws(',', meter, stamp, '1_000')
            when 3 then concat_ws(',', meter, stamp || '+08:00', amount)
            when 4 then concat_ws(',', '0000', stamp, amount)
            when 5 then concat_ws(',', meter, stamp, amount, '9')
            when 6 then concat_ws(',', meter, stamp)
            else concat_ws(',', meter, stamp, amount)
        end as line
    from (
        select '{letter}' || lpad(cast({number} * 30 + m as varchar), 5, '0') as meter,
            strftime(timestamp '2021-01-01' + to_minutes(15 * t), '%Y-%m-%d %H:%M:%S') as stamp,
            printf('%d.%02d', cast(hash(m, t, {number}, {seed}) % 50 as bigint), cast(hash(t, m, {seed}) % 100 as bigint)) as amount,
            case when place % {step} = {step} // 2 then cast(place // {step} % 8 as integer) end as kind
        from (select place, place // 30 as t, place % 30 as m from range({n_rows}) as places(place))
    )
"""


def generate(folder: Path, n_files: int, n_rows: int, n_bad: int) -> None:
    """Files below `folder/landing/metering`, half of them with CRLF, the last in GBK, and what is in them: `truth.json`."""
    landing = folder / "landing" / "metering"
    landing.mkdir(parents=True)
    planted: dict[str, list[list[Any]]] = {}
    with duckdb.connect() as con:
        con.execute("create table truth (meter varchar, month varchar, amount decimal(18, 4))")
        for number in range(n_files):
            is_last = number == n_files - 1
            given: dict[str, Any] = {
                "letter": "表" if is_last else "M",
                "number": number,
                "seed": SEED,
                "step": n_rows // n_bad,
                "n_rows": n_rows,
            }
            con.execute(f"create or replace table made as {_LINES.format(**given)}")
            con.execute(
                """insert into truth select meter, stamp[:7], sum(cast(amount as decimal(18, 4))) from made
                where kind is null or kind = 7 group by all"""
            )
            rows = con.execute("select kind, line from made").fetchall()
            lines = ["表号,时刻,电量" if is_last else "meter,time,kwh"]
            bad = planted.setdefault(f"{number:02}.csv", [])
            for kind, line in rows:
                lines += [line, line] if kind == 7 else [line]
                if kind is not None:
                    bad.append([len(lines), KINDS[kind]])
            text = ("\r\n" if number % 2 else "\n").join(lines) + ("\r\n" if number % 2 else "\n")
            (landing / f"{number:02}.csv").write_bytes(text.encode("gbk" if is_last else "utf-8"))
        (folder / "bare").mkdir()
        last = landing / f"{n_files - 1:02}.csv"
        (folder / "bare" / last.name).write_text(last.read_text(encoding="gbk"), encoding="utf-8", newline="")
        totals = con.execute(
            "select meter, month, sum(amount) from truth group by all order by all"
        ).fetchall()
    truth = {"planted": planted, "totals": [[meter, month, str(amount)] for meter, month, amount in totals]}
    (folder / "truth.json").write_text(json.dumps(truth, ensure_ascii=False), encoding="utf-8")


def bare(folder: Path, threads: int = 2) -> dict[str, Any] | None:
    """The floor. It is lenient, and reads the last file already in UTF-8."""
    files = sorted((folder / "landing" / "metering").glob("*.csv"))
    files[-1] = folder / "bare" / files[-1].name
    with duckdb.connect(config={"threads": threads}) as con:
        con.execute("set preserve_insertion_order = false")
        con.execute(
            f"""copy (select * from read_csv({[str(file) for file in files]}, auto_detect=false, header=false, skip=1,
                columns={{'meter': 'VARCHAR', 'time': 'TIMESTAMP', 'kwh': 'DOUBLE'}}, ignore_errors=true))
            to '{folder / "bare" / "all.parquet"}' (format parquet, compression zstd)"""
        )
        con.execute(
            f"""select meter, date_trunc('month', time), sum(kwh) from '{folder / "bare" / "all.parquet"}' group by all"""
        ).fetchall()
    return None


_TOTALS = """
create table half_days as
select meter_id, slot // 48 as half_day, count(*) as n, sum(amount) as amount,
    bit_count(bit_or(1::ubigint << cast(slot % 48 as ubigint))) as n_slots
from (select meter_id, epoch_us(starts_at) // 900000000 as slot, amount from raw.metering__readings) group by all;

create table again as
select file_id, line, meter_id, starts_at, amount
from raw.metering__readings as readings
semi join (select * from half_days where n > n_slots) as doubtful
    on readings.meter_id = doubtful.meter_id and epoch_us(readings.starts_at) // 43200000000 = doubtful.half_day
qualify row_number() over (partition by meter_id, starts_at order by file_id, line) > 1;

select meter_id, strftime(stands_at, '%Y-%m'), cast(sum(amount) as varchar) from (
    select meter_id, make_timestamp(half_day * 43200000000) as stands_at, amount from half_days
    union all
    select meter_id, starts_at, -amount from again
) group by all order by all
"""
"""Sums by meter and half day, corrected by the readings that stand twice; only halves that may hold one are looked into."""


def ours(folder: Path, threads: int = 2, memory_limit: str = "4GB") -> dict[str, Any]:
    """Seal, load, account, quarantine, sum. Returns what was found."""
    home = Home(folder)
    rules = Rules([Layout.model_validate(yaml.safe_load(LAYOUT))], load_reference())
    receipts = archive.seal(home, date(2026, 1, 1))
    config: dict[str, Any] = {"threads": threads, "memory_limit": memory_limit}
    with duckdb.connect(config=config) as con:
        room = partitions.Room(home, rules, partitions.made_from(rules, "metering", "1"), con)
        arrived = partitions.load_all(room, receipts)
    with duckdb.connect(home.warehouse, config=config) as con:
        loaded, filed = [item.loaded for item in arrived], [item.receipt for item in arrived]
        raw.write_source(con, home, "metering", rules.reference, loaded, filed, [])
        totals = con.execute(_TOTALS).fetchall()
        return {
            "totals": [list(row) for row in totals],
            "quarantine": con.execute("select path, row_number, reason_code from raw.quarantine").fetchall(),
            "again": con.execute(
                "select path, line, 'repeated' from again join raw.files using (file_id)"
            ).fetchall(),
            "gaps": con.execute(
                "select file_id from raw.file_counts where n_read <> n_loaded + n_quarantined + n_ignored"
            ).fetchall(),
            "n_files": con.execute("select count(*) from raw.file_counts").fetchall()[0][0],
        }


def faults(folder: Path, found: dict[str, Any]) -> list[str]:
    """What is not as it was planted; nothing, if all is well."""
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    planted = {(path, line, kind) for path, rows in truth["planted"].items() for line, kind in rows}
    seen = {tuple(row) for row in [*found["quarantine"], *found["again"]]}
    told = []
    if len(seen) != len(found["quarantine"]) + len(found["again"]) or seen != planted:
        told.append(f"planted {len(planted)}, found {len(seen)}, both {len(seen & planted)}")
    if [[a, b, Decimal(c)] for a, b, c in found["totals"]] != [
        [a, b, Decimal(c)] for a, b, c in truth["totals"]
    ]:
        told.append("totals differ")
    if found["gaps"] or found["n_files"] != len(truth["planted"]):
        told.append("the ledger does not balance")
    return told


def _run(what: str, folder: Path) -> None:
    """One of the two in this process; prints its seconds and its peak memory."""
    found, took = apart.taken(lambda: bare(folder) if what == "bare" else ours(folder))
    wrong = faults(folder, found) if found is not None else []
    if wrong:
        raise SystemExit("; ".join(wrong))
    print(json.dumps(took))


def measure(n_files: int = N_FILES, n_rows: int = N_ROWS, n_bad: int = N_BAD) -> list[str]:
    """Lines of the report: bare DuckDB, ours and the ratio, in one run."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        # in a process of its own: the peak of a child counts from that of its parent
        with get_context("spawn").Pool(1) as pool:
            pool.apply(generate, (folder, n_files, n_rows, n_bad))
        floor = apart.run("benchmarks.readings", "bare", folder)
        full = apart.run("benchmarks.readings", "ours", folder)
    return [
        f"| {name} | {goal} | {run['wall']:.1f} | {run['cpu']:.1f} | {run['peak']:.0f} |"
        for name, goal, run in (
            ("bare DuckDB, the same CSV to Parquet and summed", "–", floor),
            (
                f"{n_files * n_rows // 1_000_000} M readings sealed, loaded, accounted, quarantined, summed",
                "≤ 1 GB",
                full,
            ),
        )
    ] + [
        f"| … against bare DuckDB | ≤ 2.0 × wall | {full['wall'] / floor['wall']:.2f} × | {full['cpu'] / floor['cpu']:.2f} × | |"
    ]


if __name__ == "__main__":
    if len(sys.argv) == 3:
        _run(sys.argv[1], Path(sys.argv[2]))
    else:
        print("\n".join(measure()))
