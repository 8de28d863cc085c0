"""One load at four resolutions, and Green Button feeds: totals, clocks that change, packed files that are traps."""

from __future__ import annotations

import gzip
import re
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import yaml

from ingestion import counting
from ingestion.account import Delivery
from ingestion.contracts.messages import Refusal
from ingestion.layouts.fields import FieldSpec, UnitSpec
from ingestion.load import Loaded, Rules, load
from ingestion.readers import compressed

DATA = Path(__file__).parents[1] / "data"
N_READINGS = {"hourly": 19417, "daily": 809, "billing_monthly": 26, "billing_bimonthly": 13}
TOTALS = {
    "il-electricity-cdd-hdd": ("kWh", "21927.13", "21925.83", "21290.17", "21563.69"),
    "il-electricity-cdd-only": ("kWh", "19565.06", "19565.65", "19525.53", "19474.99"),
    "il-gas-hdd-only": ("therm", "2426.82", "2427.85", "2345.22", "2290.42"),
    "il-gas-intercept-only": ("therm", "2091.64", "2091.66", "2056.52", "2059.01"),
}
CASES = [
    (f"{meter}-{resolution}.csv.gz", resolution, unit, Decimal(amount))
    for meter, (unit, *amounts) in TOTALS.items()
    for resolution, amount in zip(N_READINGS, amounts, strict=True)
]


def read(rules: Rules, name: str, data: bytes | None = None) -> Loaded:
    folder = "green_button" if name.endswith(".xml") else "load_samples"
    content = (DATA / folder / name).read_bytes() if data is None else data
    return load(Delivery("f1", "metering", name), content, rules)


def numbers(loaded: Loaded) -> list[Decimal]:
    return [Decimal(text) for text in loaded.rows["number_text"].to_list()]


def is_balanced(loaded: Loaded) -> bool:
    return bool(loaded.counts) and all(
        n["n_read"] == n["n_loaded"] + n["n_quarantined"] + n["n_ignored"] for n in loaded.counts.values()
    )


@pytest.mark.parametrize(("name", "resolution", "unit", "amount"), CASES, ids=[case[0] for case in CASES])
def test_each_resolution_has_its_total(
    rules: Rules, name: str, resolution: str, unit: str, amount: Decimal
) -> None:
    found = read(rules, name)
    assert found.refusal is None
    assert (found.rows.height, sum(numbers(found), Decimal(0))) == (N_READINGS[resolution], amount)
    assert found.rows["unit_text"].unique().to_list() == [unit]
    assert found.quarantine.height == 0, "the mark of the end is no missing reading"
    assert found.rows["ends_at"].null_count() == 0
    following = found.rows["starts_at"].shift(-1)
    assert found.rows["ends_at"].head(-1).equals(following.head(-1), check_names=False)
    assert is_balanced(found)


# hours and days are each rounded to two places by the sender; all 809 days from local midnight to local midnight have
# all their hours, and two days of each gas meter still differ by 0.05 as the files stand
@pytest.mark.parametrize(
    ("meter", "widest", "n_days"),
    [
        ("il-electricity-cdd-hdd", "0.04", 0),
        ("il-electricity-cdd-only", "0.04", 0),
        ("il-gas-hdd-only", "0.05", 2),
        ("il-gas-intercept-only", "0.05", 2),
    ],
)
def test_hours_and_days_agree_over_what_both_cover(
    rules: Rules, meter: str, widest: str, n_days: int
) -> None:
    by_day = [
        found.rows.group_by(day=pl.col("starts_at").dt.date()).agg(
            amount=pl.col("number_text").cast(pl.Decimal(18, 4)).sum()
        )
        for found in (read(rules, f"{meter}-{name}.csv.gz") for name in ("hourly", "daily"))
    ]
    both = by_day[0].join(by_day[1], on="day", suffix="_daily")
    assert both.height == 809
    gaps = (both["amount"] - both["amount_daily"]).abs()
    assert gaps.max() == Decimal(widest)
    assert (gaps > Decimal("0.04")).sum() == n_days


def test_a_clock_that_goes_back_has_two_hours_and_one_that_goes_on_a_long_one(rules: Rules) -> None:
    rows = read(rules, "il-electricity-cdd-hdd-hourly.csv.gz").rows
    day = rows.filter(pl.col("starts_at").dt.date() == datetime(2016, 11, 6).date())
    assert day.height == 25
    assert day.select("starts_at", "ends_at").rows()[1:3] == [
        (datetime(2016, 11, 6, 1), datetime(2016, 11, 6, 1)),
        (datetime(2016, 11, 6, 1), datetime(2016, 11, 6, 2)),
    ]
    spring = rows.filter(pl.col("starts_at").dt.date() == datetime(2016, 3, 13).date())
    assert spring.height == 23
    assert (datetime(2016, 3, 13, 1), datetime(2016, 3, 13, 3)) in spring.select(
        "starts_at", "ends_at"
    ).rows()
    assert rows.select("starts_at", "ends_at").is_unique().all()


def test_a_file_that_was_unpacked_on_the_way_is_the_same(rules: Rules) -> None:
    name = "il-gas-hdd-only-daily.csv.gz"
    packed = (DATA / "load_samples" / name).read_bytes()
    for data, called in ((gzip.decompress(packed), name), (gzip.decompress(packed), name[:-3])):
        found = read(rules, called, data)
        assert found.rows.drop("meter_id").equals(read(rules, name, packed).rows.drop("meter_id"))


def test_members_of_a_packed_file_follow_each_other(rules: Rules) -> None:
    text = gzip.decompress((DATA / "load_samples/il-gas-hdd-only-daily.csv.gz").read_bytes())
    two = gzip.compress(text[:500]) + gzip.compress(text[500:])
    found = read(rules, "il-gas-hdd-only-daily.csv.gz", two)
    assert found.rows.height == 809
    assert is_balanced(found)
    assert counting.count(two, "delimited") == counting.count(text, "delimited")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (gzip.compress(b"0" * (16 << 20)), "expands_too_far"),
        (gzip.compress(b"start,value\n2016-01-01T00:00:00-06:00,1\n" * 99)[:-20], "broken_gzip"),
        (b"\x1f\x8b nothing of the kind", "broken_gzip"),
        (gzip.compress(b""), "empty_file"),
    ],
    ids=["bomb", "cut_off", "nothing_of_the_kind", "empty"],
)
def test_a_packed_trap_is_refused(rules: Rules, data: bytes, code: str) -> None:
    found = read(rules, "il-gas-hdd-only-daily.csv.gz", data)
    assert found.refusal is not None
    assert found.refusal.code == code
    assert found.refusal.mend.zh


def test_a_packed_file_is_never_held_beyond_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compressed, "MAX_BYTES", 1000)
    with pytest.raises(Refusal) as refused:
        compressed.expand(gzip.compress(bytes(range(256)) * 8))
    assert refused.value.code == "expands_too_far"


@pytest.mark.parametrize(("last", "reason"), [("5", "missing_ends_at"), ("x", "missing_ends_at")])
def test_a_last_reading_without_an_end_is_quarantined(rules: Rules, last: str, reason: str) -> None:
    text = f"start,value\n2016-01-01T00:00:00-06:00,1\n2016-01-02T00:00:00-06:00,{last}\n"
    found = read(rules, "il-gas-hdd-only-daily.csv", text.encode())
    assert numbers(found) == [Decimal(1)]
    assert found.quarantine.select("row_number", "reason_code").rows() == [(3, reason)]
    assert is_balanced(found)


def test_a_gap_in_the_middle_is_quarantined(rules: Rules) -> None:
    text = "start,value\n2016-01-01T00:00:00-06:00,1\n2016-01-02T00:00:00-06:00,nan\n2016-01-03T00:00:00-06:00,nan\n"
    found = read(rules, "il-gas-hdd-only-daily.csv", text.encode())
    assert found.rows.select("starts_at", "ends_at").rows() == [(datetime(2016, 1, 1), datetime(2016, 1, 2))]
    assert found.quarantine.select("row_number", "reason_code").rows() == [(3, "missing_reading")]
    assert is_balanced(found)


def test_a_green_button_feed(rules: Rules) -> None:
    found = read(rules, "five_days.xml")
    assert found.refusal is None
    assert (found.rows.height, sum(numbers(found))) == (480, 511688)
    assert (min(numbers(found)), max(numbers(found))) == (273, 1659)
    assert found.rows["unit_text"].unique().to_list() == ["Wh"]
    # 05:00 UTC is midnight there
    assert (found.rows["starts_at"].min(), found.rows["ends_at"].max()) == (
        datetime(2012, 3, 1),
        datetime(2012, 3, 6),
    )
    assert found.notes.height == 0
    assert is_balanced(found)


def test_absurd_readings_of_a_feed_are_quarantined_and_repeated_ones_kept(rules: Rules) -> None:
    found = read(rules, "large_values.xml")
    assert (
        found.quarantine.select("reason_code", "found").rows() == [("number_too_large", "1000000000000")] * 3
    )
    assert (found.rows.height, sum(numbers(found))) == (999, 154255)
    assert sum(numbers(found)) + 3 * 10**12 == 3_000_000_154_255
    assert found.notes.height == 0
    assert is_balanced(found)


@pytest.mark.parametrize(
    ("before", "after", "unit", "reason"),
    [
        (b"<powerOfTenMultiplier>0<", b"<powerOfTenMultiplier>3<", "kWh", None),
        (b"<powerOfTenMultiplier>0<", b"<powerOfTenMultiplier>9<", None, "unknown_unit"),
        (b"<uom>72<", b"<uom>42<", None, "unknown_unit"),
        (b"<uom>72</uom>", b"<uom>72</uom><uom>42</uom>", None, "missing_uom"),
    ],
)
def test_the_unit_of_a_feed_is_what_its_reading_type_says(
    rules: Rules, before: bytes, after: bytes, unit: str | None, reason: str | None
) -> None:
    data = (DATA / "green_button/five_days.xml").read_bytes()
    assert before in data
    found = read(rules, "five_days.xml", data.replace(before, after))
    assert found.rows["unit_text"].unique().to_list() == ([unit] if unit else [])
    assert found.quarantine["reason_code"].unique().to_list() == ([reason] if reason else [])
    assert is_balanced(found)


def test_prefixes_of_namespaces_do_not_matter(rules: Rules) -> None:
    data = (DATA / "green_button/five_days.xml").read_bytes()
    prefixed = re.sub(
        rb"<IntervalBlock.*?</IntervalBlock>",
        lambda block: re.sub(rb"(</?)(\w+)", rb"\1espi:\2", block[0].replace(b"xmlns=", b"xmlns:espi=")),
        data,
        flags=re.DOTALL,
    )
    assert prefixed.count(b"<espi:IntervalReading>") == 480
    found = read(rules, "five_days.xml", prefixed)
    assert (found.rows.height, sum(numbers(found))) == (480, 511688)
    assert is_balanced(found)


@pytest.mark.parametrize(
    "text",
    [
        "{column: a, kind: datetime, zone: Nowhere/Land}",
        "{column: a, zone: Asia/Shanghai}",
        "{column: a, format: '%Y'}",
        "{column: a, element: b}",
    ],
)
def test_fields_that_cannot_work_are_refused_in_the_layout(text: str) -> None:
    with pytest.raises(ValueError, match=r"zone|format|origin"):
        FieldSpec.model_validate(yaml.safe_load(text))


@pytest.mark.parametrize("text", ["{fields: [a]}", "{column: a, lookup: {b: c}}", "{}"])
def test_units_that_cannot_work_are_refused_in_the_layout(text: str) -> None:
    with pytest.raises(ValueError, match="unit"):
        UnitSpec.model_validate(yaml.safe_load(text))
