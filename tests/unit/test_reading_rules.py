"""Options of a layout for readings that cannot be right, and what they let through to the warehouse."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest
import yaml
from pydantic import ValidationError

from ingestion.account import Delivery
from ingestion.layouts.files import load_layouts, shipped_folders
from ingestion.layouts.model import Layout
from ingestion.layouts.reading import COLUMNS, ReadingRules, rows
from ingestion.load import Loaded, Rules, load
from ingestion.reference import load_reference
from ingestion.streaming.plan import reads_by_line

HOURS = """
id: hours
title: {zh: 逐时, en: hours}
source: metering
target: readings
reading_kind: interval
form: hours
edition: "1"
kind: delimited
recognise: {columns: [meter, ends, kwh]}
tables:
  - interval_minutes: 60
    fields:
      meter_id: {column: meter}
      building_code: {constant: B}
      ends_at: {column: ends, kind: datetime}
    values:
      - {columns: kwh, item: "01000", unit: {constant: kWh}}
"""


def read(text: str, data: str) -> Loaded:
    found = load(
        Delivery("f", "metering", "a.csv"),
        data.encode(),
        Rules([Layout.model_validate(yaml.safe_load(text))], load_reference()),
    )
    assert found.refusal is None, found.refusal
    return found


def test_a_negative_reading_is_quarantined_until_the_layout_says_what_it_is() -> None:
    data = "meter,ends,kwh\nM,2021-03-01 01:00,-5\nM,2021-03-01 02:00,7\n"
    plain = read(HOURS, data)
    assert plain.quarantine["reason_code"].to_list() == ["negative_amount"]
    assert plain.rows["number_text"].to_list() == ["7"]
    exported = HOURS.replace("columns: kwh,", "columns: kwh, net: true,")
    for text in (HOURS + "readings: {negative: missing}\n", exported):
        found = read(text, data)
        assert found.quarantine.height == 0
        assert found.rows["number_text"].to_list() == ["-5", "7"]


def test_a_negative_reading_is_admitted_and_nothing_else_is() -> None:
    found = read(
        HOURS + "readings: {negative: missing}\n",
        "meter,ends,kwh\nM,2021-03-01 01:00,-abc\nM,2021-03-01 02:00,-1234567890123\n",
    )
    assert found.quarantine["reason_code"].to_list() == ["not_a_number", "number_too_large"]


def test_hour_24_is_the_end_of_its_day() -> None:
    data = "meter,ends,kwh\nM,2021-02-28 24:00,7\nM,2021-12-31 24:00:00,8\nM,2021-03-01 23:00,9\n"
    assert read(HOURS, data).quarantine["reason_code"].to_list() == ["bad_ends_at", "bad_ends_at"]
    found = read(HOURS.replace("kind: datetime}", "kind: datetime, hour_24: true}"), data)
    assert found.rows.select("starts_at", "ends_at").rows() == [
        (datetime(2021, 2, 28, 23), datetime(2021, 3, 1)),
        (datetime(2021, 12, 31, 23), datetime(2022, 1, 1)),
        (datetime(2021, 3, 1, 22), datetime(2021, 3, 1, 23)),
    ]


def test_a_clock_without_offset_is_read_in_its_zone() -> None:
    data = "meter,ends,kwh\nM,2021-12-31 16:00,7\n"
    utc = HOURS.replace("kind: datetime}", "kind: datetime, clock: UTC, zone: Asia/Shanghai}")
    assert read(utc, data).rows["ends_at"].to_list() == [datetime(2022, 1, 1)]
    abroad = HOURS.replace("kind: datetime}", "kind: datetime, clock: Asia/Shanghai, zone: Asia/Tokyo}")
    assert read(abroad, data).rows.select("starts_at", "ends_at").rows() == [
        (datetime(2021, 12, 31, 16), datetime(2021, 12, 31, 17))
    ]


def test_a_text_in_the_hour_that_a_clock_repeats_says_no_moment() -> None:
    data = "meter,ends,kwh\nM,2021-10-31 00:30,1\nM,2021-10-31 01:30,2\nM,2021-03-28 01:30,3\n"
    text = HOURS.replace("kind: datetime}", "kind: datetime, clock: Europe/London, zone: Europe/London}")
    found = read(text, data)
    assert found.rows["number_text"].to_list() == ["1"]
    assert found.quarantine.select("reason_code", "row_number").rows() == [
        ("bad_ends_at", 3),
        ("bad_ends_at", 4),
    ]


LONDON = HOURS.replace("interval_minutes: 60", "interval_minutes: 30").replace(
    "kind: datetime}", "kind: datetime, clock: Europe/London, zone: Europe/London}"
)


@pytest.mark.parametrize("step", [1, -1], ids=["oldest first", "newest first"])
def test_half_hours_that_a_clock_shows_twice_are_told_by_their_order(step: int) -> None:
    """31 October 2021, two meters: 02:00 of summer time is 01:00, so 01:00 and 01:30 stand twice."""
    shown = ["00:30", "01:00", "01:30", "01:00", "01:30", "02:00"]
    lines = [
        f"{meter},2021-10-31 {clock},{10 * n + i}"
        for i, clock in enumerate(shown)
        for n, meter in ((1, "M"), (2, "N"))
    ]
    found = read(LONDON, "meter,ends,kwh\n" + "\n".join(lines[::step]) + "\n")
    assert found.quarantine.height == 0
    rows = found.rows.filter(meter_id="M").sort("number_text")
    assert rows.select("number_text", "starts_at", "ends_at", "is_second_pass").rows() == [
        ("10", datetime(2021, 10, 31), datetime(2021, 10, 31, 0, 30), None),
        ("11", datetime(2021, 10, 31, 0, 30), datetime(2021, 10, 31, 1), None),
        ("12", datetime(2021, 10, 31, 1), datetime(2021, 10, 31, 1, 30), None),
        ("13", datetime(2021, 10, 31, 1, 30), datetime(2021, 10, 31, 1), True),
        ("14", datetime(2021, 10, 31, 1), datetime(2021, 10, 31, 1, 30), True),
        ("15", datetime(2021, 10, 31, 1, 30), datetime(2021, 10, 31, 2), None),
    ]
    assert found.rows.filter(meter_id="N").height == 6


def test_a_time_that_stands_three_times_says_no_moment() -> None:
    data = "meter,ends,kwh\n" + "M,2021-10-31 01:30,1\n" * 3
    assert read(LONDON, data).quarantine["reason_code"].to_list() == ["bad_ends_at"] * 3


def test_stamps_with_an_offset_say_which_pass_they_are_of() -> None:
    text = HOURS.replace("interval_minutes: 60", "interval_minutes: 30").replace(
        "kind: datetime}", "kind: datetime, zone: Europe/London}"
    )
    data = "meter,ends,kwh\nM,2021-10-31T01:30:00+01:00,1\nM,2021-10-31T01:30:00+00:00,2\n"
    rows = read(text, data).rows
    assert rows["ends_at"].to_list() == [datetime(2021, 10, 31, 1, 30)] * 2
    assert rows["is_second_pass"].to_list() == [None, True]


@pytest.mark.parametrize(
    ("zone", "by_line"), [("UTC", True), ("Asia/Shanghai", True), ("Europe/London", False)]
)
def test_a_file_whose_clock_repeats_an_hour_is_read_whole(zone: str, by_line: bool) -> None:
    text = HOURS.replace("kind: datetime}", f"kind: datetime, clock: {zone}, zone: {zone}}}")
    assert reads_by_line(Layout.model_validate(yaml.safe_load(text))) is by_line


@pytest.mark.parametrize(
    "rules",
    [
        "{}",
        "{negative: zero}",
        "{stuck_after: 1}",
        "{impossible_above_per_hour: 0}",
        "{register_digits: 40}",
        "{gaps: {fill: guess, longest_hours: 3}}",
        "{gaps: {fill: linear}}",
        "{zero: 0}",
        "{unknown: 1}",
    ],
)
def test_an_option_that_says_nothing_is_refused(rules: str) -> None:
    with pytest.raises(ValidationError):
        Layout.model_validate(yaml.safe_load(HOURS + f"readings: {rules}\n"))


@pytest.mark.parametrize("keys", ["clock: UTC", "clock: Nowhere/Land, zone: UTC"])
def test_a_clock_needs_its_zone(keys: str) -> None:
    with pytest.raises(ValidationError, match=r"clock|zone"):
        Layout.model_validate(yaml.safe_load(HOURS.replace("kind: datetime}", f"kind: datetime, {keys}}}")))


def test_options_belong_to_readings() -> None:
    metering = next(folder for folder in shipped_folders() if folder.parent.name == "metering")
    build = yaml.safe_load((metering / "build_xml.yml").read_text(encoding="utf-8"))
    with pytest.raises(ValidationError, match="readings"):
        Layout.model_validate(build | {"readings": {"zero": "missing"}})


def test_options_travel_as_one_row_per_layout_that_has_any() -> None:
    rules = ReadingRules.model_validate(
        {"register_digits": 6, "gaps": {"fill": "linear", "longest_hours": 6}, "zero": "missing"}
    )
    (row,) = rows([("a", rules), ("b", None)])
    names = [column.split()[0] for column in COLUMNS.replace("DECIMAL(18,4)", "D").split(",")]
    assert len(names) == len(row)
    found = dict(zip(names, row, strict=True))
    assert {name: value for name, value in found.items() if value is not None} == {
        "layout_id": "a",
        "register_capacity": Decimal(1000000),
        "zero": "missing",
        "gap_fill": "linear",
        "gap_longest_hours": 6,
        "gap_weeks": 2,
    }


def test_no_layout_loads_the_coal_equivalent_that_senders_compute() -> None:
    for layout in load_layouts(shipped_folders()):
        for table in layout.tables:
            names = [name for spec in table.fields.values() for name in spec.column_names]
            assert not any("HourEquValue" in name for name in names), layout.id
            assert not any("HourEquValue" in value.columns for value in table.values), layout.id
