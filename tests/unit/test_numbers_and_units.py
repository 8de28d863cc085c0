"""Typed text to plain numbers and unit spellings."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.contracts.identity import cell_name, column_letters
from ingestion.contracts.numbers import plain_number, unit_in_header, unit_spelling


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("1234.50", "1234.50"),
        ("1,234.50", "1234.50"),
        ("１２３．４", "123.4"),
        (" 5 ", "5"),
        ("+7", "7"),
        ("1.2E3", "1200"),
        ("1e-2", "0.01"),
        ("-3", "-3"),
        (".5", "0.5"),
        ("0", "0"),
        ("约12", None),
        ("见附件", None),
        ("1_000", None),
        ("12,34", None),
        ("1,2345", None),
        ("nan", None),
        ("inf", None),
        ("1 000", None),
        ("", None),
        ("--", None),
        ("1e999", None),
        ("12kWh", None),
        (None, None),
    ],
)
def test_a_number_is_a_number_or_nothing(typed: str | None, plain: str | None) -> None:
    assert plain_number(typed) == plain


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_no_digit_is_lost_or_invented(value: Decimal) -> None:
    found = plain_number(f"{value:,f}")
    assert found is not None
    assert Decimal(found) == value


@pytest.mark.parametrize(
    ("typed", "spelled"),
    [
        ("(kWh)", "kWh"),
        ("万 kWh", "万kWh"),
        ("m³", "m3"),
        ("㎡", "m2"),
        ("（吨）", "吨"),
        ("", None),
        (None, None),
    ],
)
def test_units_have_one_spelling(typed: str | None, spelled: str | None) -> None:
    assert unit_spelling(typed) == spelled


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("电消费量(kWh)", "kWh"),
        ("电消费量（万千瓦时）", "万千瓦时"),
        ("equipment load [kWh]", "kWh"),
        ("电消费量", None),
        ("汽油(车辆)消费量(L)", "L"),
    ],
)
def test_the_unit_in_a_header_is_the_last_bracket(header: str, unit: str | None) -> None:
    assert unit_in_header(header) == unit


def test_cells_are_named_as_spreadsheets_name_them() -> None:
    assert [column_letters(n) for n in (1, 26, 27, 52, 53, 702, 703)] == [
        "A",
        "Z",
        "AA",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
    ]
    assert cell_name(12, 28) == "AB12"
