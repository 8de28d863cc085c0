"""What the checks of the raw tables find: the one pass over a frame says what pandera says."""

from __future__ import annotations

import random
from functools import partial

import pandera.polars as pa
import polars as pl
import pytest

from ingestion.checks import HELPERS, amount, failures, with_keys
from ingestion.reference import load_reference
from ingestion.sources import SOURCES, raw_tables

SCHEMAS = {
    f"{source}.{target}": schema
    for source in SOURCES
    for target, schema in raw_tables(source, load_reference()).items()
}
WRONG: dict[str, list[object]] = {
    "String": ["1", "-1", "x", "a|b|c", "1234567890123456", None],
    "Int32": [1990, -1, 0, 2101, 7, None],
}


def _frame(schema: pa.DataFrameSchema, line: slice) -> pl.DataFrame:
    kinds = {name: column.dtype.type for name, column in schema.columns.items()}
    texts = {name: WRONG.get(str(kind), [None] * 6)[line] for name, kind in kinds.items()}
    return pl.DataFrame(texts, schema=kinds)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_bad_value_is_found_wherever_pandera_finds_it(name: str) -> None:
    schema, n_bad = SCHEMAS[name], 0
    for at in range(6):
        frame = _frame(schema, slice(at, at + 1))
        try:
            schema.validate(frame, lazy=True)
            expected = []
        except pa.errors.SchemaErrors as error:
            expected = sorted(error.failure_cases.select("index", "check", "column").rows())
        assert sorted(failures(schema, frame).rows()) == expected
        n_bad += bool(expected)
    has_checks = any(column.checks or not column.nullable for column in schema.columns.values())
    assert (n_bad > 0) == has_checks


def test_one_bad_row_among_many_is_found_at_its_place() -> None:
    schema = pa.DataFrameSchema(
        {"year": pa.Column(pl.Int32, pa.Check.in_range(1990, 2100, error="bad_year"))}
    )
    years = pl.Series("year", [2020] * 1000 + [1989] + [2020] * 1000, dtype=pl.Int32).to_frame()
    assert failures(schema, years).rows() == [(1000, "bad_year", "year")]
    assert failures(schema, years.filter(pl.col("year") > 2000)).rows() == []


def test_a_check_of_one_value_at_a_time_and_one_of_the_whole_frame_are_left_to_pandera() -> None:
    single = pa.Check(lambda value: value > 0, element_wise=True, error="not_positive")
    schema = pa.DataFrameSchema({"n": pa.Column(pl.Int32, single)})
    assert failures(schema, pl.DataFrame({"n": [1, -1]}, schema={"n": pl.Int32})).rows() == [
        (1, "not_positive", "n")
    ]


def test_what_passes_an_amount_at_a_glance_passes_all_its_checks() -> None:
    draw = random.Random(3)
    texts = ["".join(draw.choices("0019.-x", k=draw.randint(1, 16))) for _ in range(20_000)] + [
        "1.5\n",
        "",
        "٣",
    ]
    column = amount()
    glance = (column.metadata or {})["sound"]
    passed = [text for text in texts if pl.Series([text]).str.contains(glance).item()]
    assert len(passed) > 1000
    schema = pa.DataFrameSchema({"number_text": column})
    assert schema.validate(pl.DataFrame({"number_text": passed}), lazy=True).height == len(passed)
    assert not {"1.5\n", "", "٣", "-1", "1.", ".1", "1234567890123"} & set(passed)


def test_keys_made_for_the_different_items_alone_find_what_keys_of_every_row_find() -> None:
    """The frame that comes without its keys and the one that has them are judged alike, and at the same rows."""
    reference = load_reference()
    schema = raw_tables("direct_report", reference)["values"]
    kinds = {name: column.dtype.type for name, column in schema.columns.items() if name not in HELPERS}
    keys = partial(with_keys, family="NY201", edition="2025", reference=reference)
    items = [
        ("110", "千瓦时"),
        ("130", "吨"),
        ("105", "unit"),
        ("999", None),
        (None, None),
        ("110", None),
        ("1|1", "吨"),
    ]
    rows = [
        {"year": 2020, "period_kind": "year", "period_index": 0, "number_text": number}
        | {"item_code": item, "unit_text": unit, "corrected_unit_text": corrected}
        for item, unit in items
        for corrected in (None, "吨")
        for number in ("1", "-1", "1234567890123")
    ]
    n_found = 0
    for some in (rows, rows[:1], *([row] for row in rows)):
        frame = pl.DataFrame(some, schema=kinds)
        found = failures(schema, frame, keys)
        assert sorted(found.rows()) == sorted(failures(schema, keys(frame)).rows())
        n_found += found.height > 0
    assert 10 < n_found < len(rows) + 2
