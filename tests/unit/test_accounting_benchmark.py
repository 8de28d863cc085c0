"""The benchmark of accounting at a small size: the product's sums and those by hand agree, and it would notice if not."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import duckdb
import jinja2
import pytest

from benchmarks import accounting, scratch


def test_the_product_and_the_sums_by_hand_agree_to_the_last_digit() -> None:
    with duckdb.connect() as con:
        n_cells = accounting.generate(con, n_institutions=210, years=range(2021, 2023))
        assert 50_000 < n_cells < 210 * 2 * (11 * 12 + 2)
        accounting.by_hand(con)
        scratch.build(con, accounting.MODELS)
        assert con.execute("select count(*) from marts.institution_year").fetchall() == [(420,)]
        assert accounting.faults(con) == []
        con.execute(
            "update bare.region_year set high_tco2 = high_tco2 * (1 + 1e-15) where region_code = '510000' and year = 2022"
        )
        con.execute("delete from bare.institution_year where year = 2021")
        told = accounting.faults(con)
        assert "region_year.emissions_total_high_tco2: 1 rows differ" in told
        assert "institution_year.energy_total_primary_kgce: 210 rows differ" in told


@pytest.mark.parametrize(
    ("figure", "pct"),
    [
        ("0.000000000500", "10"),
        ("0.000000000499", "10"),
        ("-999999.999999999500", "3.33333333"),
        ("999999.999999999999", "7"),
        ("1000000.000000000500", "3.33333333"),
        ("-123456789.123456789499", "2.5"),
        ("9999999999.000000000500", "1"),
    ],
)
def test_half_widths_round_alike_below_and_above_what_eighteen_digits_hold(figure: str, pct: str) -> None:
    macros = (scratch.PROJECT / "macros" / "uncertainty.sql").read_text(encoding="utf-8")
    template = "{{ half_width(size_tco2('figure'), 'pct') }}"
    expression = jinja2.Environment(extensions=["jinja2.ext.do"]).from_string(macros + template).render()
    with duckdb.connect() as con:
        query = f"select {expression} from (select cast(? as decimal(38,12)) as figure, cast(? as decimal(18,8)) as pct)"
        [(found,)] = con.execute(query, [figure, pct]).fetchall()
    milligram = Decimal("0.000000001")
    size = abs(Decimal(figure)).quantize(milligram, ROUND_HALF_UP)
    share = (Decimal(pct) / 100).quantize(Decimal("0.00000001"), ROUND_HALF_UP)
    assert found == (size * share).quantize(milligram, ROUND_HALF_UP)
