"""Meter exports that nobody here wrote: what becomes of each file, to the reading and the digit."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import yaml

from ingestion import archive, raw
from ingestion.account import Delivery
from ingestion.contracts.home import Home
from ingestion.layouts.model import Layout
from ingestion.load import Loaded, Rules, load

EXPORTS = Path(__file__).parents[1] / "data/meter_exports"

# file → layout, readings, meters, sum in kWh at rest (four decimals), records and cells quarantined by reason
LOADED: dict[str, tuple[str, int, int, str, dict[str, int]]] = {
    "row_per_day/valid.csv": ("by_day", 48, 1, "901.8892", {}),
    "row_per_day/valid-no-header.csv": ("no_header", 48, 1, "901.8892", {}),
    # one copy of the day is all zeros: both stand in the raw table, and the zeros give way downstream
    "row_per_day/duplicate-rows.csv": ("by_day", 96, 1, "901.8892", {}),
    "row_per_day/all-missing-readings.csv": ("by_day", 28, 1, "732.1992", {}),
    "row_per_day/some-missing-readings.csv": ("by_day", 124, 1, "2535.9776", {}),
    "row_per_day/no-readings.csv": ("by_day", 0, 0, "0", {"missing_reading": 1}),
    "row_per_day/incomplete-row.csv": ("by_day", 0, 0, "0", {"missing_reading": 1}),
    "row_per_reading/valid.csv": ("by_reading", 48, 1, "1272.1", {}),
    "row_per_reading/some-missing-readings.csv": ("by_reading", 94, 2, "448.2", {}),
    "supplier_reports/example.csv": ("by_reading", 480, 10, "4468.5", {}),
    "supplier_reports/example-missing-half-hours.csv": ("by_reading", 526, 11, "5385.7", {}),
    "supplier_reports/example-offset.csv": ("by_reading", 382, 8, "4036.6", {}),
    "uploads/banes-example-file.csv": ("total_and_day", 240, 5, "1114.429", {}),
    "uploads/banes-example-file.xls": ("total_and_day_workbook", 240, 5, "1114.429", {}),
    "uploads/banes-example-file.xlsx": ("total_and_day_workbook", 240, 5, "1114.429", {}),
    "uploads/banes-bad-example-file.csv": ("total_and_day", 48, 1, "226.103", {"bad_day": 1}),
    "uploads/banes-bad-example-date-file.csv": ("total_and_day", 0, 0, "0", {"bad_day": 1}),
    "uploads/banes-bad-example-missing-data-file.csv": ("total_and_day", 95, 1, "450.138", {}),
    "uploads/banes-bad-example-missing-and-invalid-mpan-file.csv": (
        "total_and_day",
        0,
        0,
        "0",
        {"bad_meter_id": 2, "missing_meter_id": 1},
    ),
    "uploads/example-sheffield-file.csv": ("numbered", 96, 1, "1099.849", {}),
    "uploads/example-bad-sheffield-file.csv": ("numbered", 96, 1, "1099.849", {}),
    "uploads/example-bad-sheffield-proper-file.csv": ("numbered", 88 * 48, 1, "8284.252", {}),
    "uploads/example-highlands-file.csv": ("by_reading", 48, 1, "321.4", {}),
    "uploads/with-carriage-return-line-endings.csv": ("report", 96, 1, "210.734", {}),
    "uploads/with-mixed-line-endings.csv": ("no_header", 144, 1, "893.9", {}),
    "uploads/with-nulls-and-empty-lines.csv": ("by_reading", 15, 1, "79.1", {}),
    "uploads/with-nulls-empty-lines-invalid-chars.csv": ("by_reading", 6, 2, "22.0", {}),
}
REFUSED = {
    "row_per_day/empty.csv": "empty_file",
    "row_per_day/empty-msft.csv": "empty_file",
    "row_per_day/empty-with-header.csv": "no_records",
    "row_per_day/malformed.csv": "broken_quotes",
    "row_per_reading/empty.csv": "empty_file",
    "row_per_reading/empty-msft.csv": "empty_file",
    "row_per_reading/empty-with-header.csv": "no_records",
    "supplier_reports/empty.csv": "empty_file",
    "uploads/date-test.xlsx": "unknown_layout",
    "uploads/energy_assets_invalid.csv": "web_page",
    "uploads/not_a_csv.csv": "not_text",
}


def read(rules: Rules, name: str) -> Loaded:
    return load(Delivery("f1", "metering", name), (EXPORTS / name).read_bytes(), rules)


def total(loaded: Loaded) -> Decimal:
    """Sum as the warehouse holds the readings."""
    if not loaded.rows.height:
        return Decimal(0)
    return sum((Decimal(text) for text in loaded.rows["number_text"].to_list()), Decimal(0))


def is_balanced(loaded: Loaded) -> bool:
    return bool(loaded.counts) and all(
        n["n_read"] == n["n_loaded"] + n["n_quarantined"] + n["n_ignored"] for n in loaded.counts.values()
    )


def made(rules: Rules, layout: str, text: str) -> Loaded:
    """A file read by a layout of the test alone."""
    own = Layout.model_validate(yaml.safe_load(layout))
    return load(Delivery("f1", "metering", "made.csv"), text.encode(), Rules([own], rules.reference))


def test_each_file_has_its_outcome() -> None:
    files = {
        path.relative_to(EXPORTS).as_posix()
        for path in EXPORTS.rglob("*")
        if path.is_file() and path.parent != EXPORTS
    }
    assert len(files) == 38
    assert files == set(LOADED) | set(REFUSED)
    assert not set(LOADED) & set(REFUSED)


@pytest.mark.parametrize("name", LOADED)
def test_a_file_loads_with_its_total(rules: Rules, name: str) -> None:
    layout, n_readings, n_meters, amount, quarantined = LOADED[name]
    found = read(rules, name)
    assert found.refusal is None
    assert found.layout is not None
    assert found.layout.id == f"half_hours.{layout}"
    assert (found.rows.height, found.rows["meter_id"].n_unique()) == (n_readings, n_meters)
    assert round(total(found), 4) == Decimal(amount)
    reasons = found.quarantine["reason_code"].to_list()
    assert {reason: reasons.count(reason) for reason in reasons} == quarantined
    assert set(found.notes["note_code"]) <= {"digits_rounded"}, "every column is accounted for"
    assert found.rows.select("line", "column_number").is_unique().all()
    lengths = (found.rows["ends_at"] - found.rows["starts_at"]).dt.total_minutes().unique().to_list()
    assert lengths in ([30], [])
    assert is_balanced(found)


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_is_refused_with_its_reason(rules: Rules, name: str) -> None:
    found = read(rules, name)
    assert found.refusal is not None
    assert found.refusal.code == REFUSED[name]
    assert found.refusal.reason.zh
    assert found.refusal.mend.en
    assert found.rows.height == 0


def test_the_total_of_the_day_is_the_sum_of_its_half_hours(rules: Rules) -> None:
    found = read(rules, "uploads/banes-example-file.csv")
    days = found.rows.group_by("line", maintain_order=True).agg("number_text")
    sums = [sum(map(Decimal, texts), Decimal(0)) for texts in days["number_text"].to_list()]
    assert sums == [Decimal(text) for text in ("226.103", "162.183", "376.7", "89.94", "259.503")]


@pytest.mark.parametrize(
    ("name", "line", "column", "starts", "ends"),
    [
        ("row_per_day/valid.csv", 2, 4, datetime(2018, 11, 12), datetime(2018, 11, 12, 0, 30)),
        ("row_per_day/valid-no-header.csv", 1, 51, datetime(2018, 11, 12, 23, 30), datetime(2018, 11, 13)),
        ("uploads/banes-example-file.csv", 2, 8, datetime(2019, 11, 13), datetime(2019, 11, 13, 0, 30)),
        (
            "uploads/banes-example-file.xlsx",
            2,
            55,
            datetime(2019, 11, 13, 23, 30),
            datetime(2019, 11, 14),
        ),
        (
            "uploads/with-carriage-return-line-endings.csv",
            11,
            56,
            datetime(2023, 7, 11, 23, 30),
            datetime(2023, 7, 12),
        ),
        (
            "uploads/example-sheffield-file.csv",
            3,
            51,
            datetime(2019, 12, 11, 23, 30),
            datetime(2019, 12, 12),
        ),
    ],
)
def test_a_reading_keeps_its_place_and_gets_its_time(
    rules: Rules, name: str, line: int, column: int, starts: datetime, ends: datetime
) -> None:
    rows = read(rules, name).rows
    found = rows.filter((rows["line"] == line) & (rows["column_number"] == column))
    assert found.select("starts_at", "ends_at").rows() == [(starts, ends)]


WIDE = """
id: made.wide
title: {zh: 甲, en: a}
source: metering
target: readings
reading_kind: interval
form: made
edition: "1"
kind: delimited
recognise: {columns: [表号, 日期]}
tables:
  - fields:
      meter_id: {column: 表号}
      building_code: {constant: B1}
      day: {column: 日期, kind: date}
    values:
      - {columns: '(?P<time>[0-9:]{5})', item: '01000', unit: {constant: kWh}, slots: {minutes: 15, named_by: end}}
"""
BY_METER = """
id: made.by_meter
title: {zh: 甲, en: a}
source: metering
target: readings
reading_kind: interval
form: made
edition: "1"
kind: delimited
recognise: {columns: [时间]}
tables:
  - interval_minutes: 60
    fields:
      building_code: {constant: B1}
      ends_at: {column: 时间, kind: datetime}
    values:
      - {columns: '(?P<meter_id>M\\d+)', item: '01000', unit: {constant: kWh}}
"""


def quarters() -> list[str]:
    return [f"{minutes // 60:02}:{minutes % 60:02}" for minutes in range(15, 1441, 15)]


def test_a_day_of_quarter_hours_in_96_columns(rules: Rules) -> None:
    text = f"表号,日期,{','.join(quarters())}\nM1,2024-03-01,{','.join(['0.25'] * 96)}\n"
    found = made(rules, WIDE, text)
    assert found.refusal is None
    assert (found.rows.height, total(found)) == (96, Decimal(24))
    assert found.rows["starts_at"].min() == datetime(2024, 3, 1)
    assert found.rows["ends_at"].max() == datetime(2024, 3, 2)
    assert found.rows["starts_at"].n_unique() == 96
    assert is_balanced(found)


def test_one_bad_cell_of_a_day_is_quarantined_alone(rules: Rules) -> None:
    cells = ["1"] * 94 + ["约1", ""]
    found = made(rules, WIDE, f"表号,日期,{','.join(quarters())}\nM1,2024-03-01,{','.join(cells)}\n")
    assert (found.rows.height, total(found)) == (94, Decimal(94))
    assert found.quarantine.select("unit", "cell", "reason_code", "found").rows() == [
        ("cell", "CS2", "not_a_number", "约1")
    ]
    assert found.counts["cell"] == {"n_read": 195, "n_loaded": 96, "n_quarantined": 1, "n_ignored": 98}
    assert is_balanced(found)


def test_one_column_per_meter(rules: Rules) -> None:
    found = made(
        rules, BY_METER, "时间,M1,M2\n2024-01-01 01:00,5,7\n2024-01-01 02:00,6,\n2024-01-01 03:00,,\n"
    )
    assert found.rows.select("line", "column_number", "meter_id", "number_text").rows() == [
        (2, 2, "M1", "5"),
        (2, 3, "M2", "7"),
        (3, 2, "M1", "6"),
    ]
    assert found.rows["starts_at"].to_list()[0] == datetime(2024, 1, 1)
    assert found.quarantine.select("row_number", "reason_code").rows() == [(4, "missing_reading")]
    assert is_balanced(found)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("minutes: 15", "minutes: 7"),
        ("?P<time>", "?P<hour>"),
        ("day: {column: 日期, kind: date}", "day: {column: 日期}"),
        ("named_by: end", "named_by: middle"),
    ],
)
def test_slots_that_cannot_work_are_refused_in_the_layout(before: str, after: str) -> None:
    with pytest.raises(ValueError, match=r"slot|group|day|minutes|length|named_by"):
        Layout.model_validate(yaml.safe_load(WIDE.replace(before, after)))


def test_a_day_without_all_its_columns_does_not_fit_by_order(rules: Rules) -> None:
    layout = WIDE.replace("named_by: end", "named_by: order")
    found = made(rules, layout, f"表号,日期,{','.join(quarters()[:-1])}\nM1,2024-03-01,1\n")
    assert found.refusal is not None
    assert "96 ×" in found.refusal.reason.en


@pytest.mark.parametrize("name", ["row_per_day/some-missing-readings.csv", "uploads/banes-example-file.xlsx"])
@pytest.mark.parametrize("n_lost", [0, 1])
def test_the_ledger_sees_one_lost_reading_of_a_day(
    rules: Rules, tmp_path: Path, name: str, n_lost: int
) -> None:
    home = Home(tmp_path)
    target = home.landing / "metering" / Path(name).name
    target.parent.mkdir(parents=True)
    target.write_bytes((EXPORTS / name).read_bytes())
    archive.seal(home, date(2026, 1, 1))
    (receipt,) = archive.receipts(home)
    data = archive.read_sealed(home, receipt.sha256)
    found = load(Delivery(receipt.file_id, "metering", receipt.path), data, rules)
    found.tables["readings"] = found.rows.head(found.rows.height - n_lost)
    with duckdb.connect() as con:
        raw.write_source(con, home, "metering", rules.reference, [found], [receipt], [])
        gaps = dict(
            con.execute(
                "select unit, n_read - n_loaded - n_quarantined - n_ignored from raw.file_counts"
            ).fetchall()
        )
        ((n_rows, n_places),) = con.execute(
            "select count(*), count(distinct (line, column_number)) from raw.metering__readings"
        ).fetchall()
    assert gaps["cell"] == n_lost
    assert n_rows == n_places == found.n_rows
