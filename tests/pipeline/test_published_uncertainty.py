"""Intervals of a whole night's release: every figure lies in its own, both approaches say the same, causes are named."""

from __future__ import annotations

import pytest
from nights import Night


def test_every_figure_lies_in_its_interval(clean: Night) -> None:
    for table in ("institution_year", "region_year"):
        ((n, n_inside),) = clean.published(
            f"""select count(*), count(*) filter (where emissions_total_low_tco2 < emissions_total_tco2::double
            and emissions_total_tco2::double < emissions_total_high_tco2 and uncertainty_state = 'computed')
            from published.{table} where emissions_total_tco2 > 0"""
        )
        assert n > 30
        assert n_inside == n, table


def test_a_region_is_surer_than_its_institutions_but_no_surer_than_its_grid_row(clean: Night) -> None:
    ((state, minus),) = clean.published(
        """select uncertainty_state, figure_minus_pct from published.emission_uncertainty where region_code = '310118'
        and year = 2021 and population = 'reported' and figure = 'emissions_electricity_tco2'"""
    )
    assert state == "computed"
    assert 10 < minus < 10.1
    causes = clean.published(
        """select cause_kind, factor_id from published.uncertainty_cause where region_code = '310118' and year = 2021
        and population = 'reported' and figure = 'emissions_total_tco2' and aspect = 'level' and rank_number = 1"""
    )
    assert causes == [("factor", "EL-PROV-SH-2021")]


def test_the_simulation_of_a_night_agrees_with_propagation(clean: Night) -> None:
    ratios = clean.published(
        """select region_code, figure, (figure_simulated_high_tco2 - figure_simulated_low_tco2)
            / (figure_high_tco2 - figure_low_tco2)
        from published.emission_uncertainty inner join published.emission_simulation
            using (region_code, population, year, figure)
        where figure_tco2 > 0 and simulation_state = 'simulated' and population <> 'inventory'"""
    )
    assert len(ratios) > 100
    for region, figure, ratio in ratios:
        assert ratio == pytest.approx(1, abs=0.03), (region, figure)
