"""Several files of one return join by item, operations of one institution add up: strangers' files through a whole night."""

from __future__ import annotations

import shutil
from decimal import Decimal

import pytest
from nights import CHECKOUT, Night, run_night

DATA = CHECKOUT / "tests" / "data"
PROFILE = """\
id: joined
region: W
regions:
  - {code: W, name_zh: 示例, name_en: sample, level: nation}
  - {code: JP, name_zh: 日本, name_en: Japan, level: district, parent: W}
  - {code: CA-TOR, name_zh: 多伦多, name_en: Toronto, level: district, parent: W}
method:
  coal_basis: equivalent
"""
SQUARE_FEET = Decimal(145883221)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    home = tmp_path_factory.mktemp("joined")
    landing = home / "landing" / "direct_report"
    shutil.copytree(DATA / "college-energy", landing / "colleges", ignore=shutil.ignore_patterns("*.md"))
    shutil.copytree(DATA / "toronto-operations", landing / "toronto", ignore=shutil.ignore_patterns("*.md"))
    (home / "profiles").mkdir()
    (home / "profiles" / "joined.yml").write_text(PROFILE, encoding="utf-8")
    return run_night(home, TANCANG_LAYOUTS=str(CHECKOUT / "examples" / "layouts"))


def test_three_files_of_a_campus_are_one_return(night: Night) -> None:
    rows = night.warehouse(
        """select count(*), count(floor_area_m2), count(other_energy_kgce), sum(floor_area_m2)
        from marts.institution_year where region_code = 'JP' and year = 2019"""
    )
    (n, n_areas, n_energies, area) = rows[0]
    assert (n, n_areas, n_energies) == (56, 56, 56)
    assert area == Decimal(1312634 + 386851)
    (energy,) = night.warehouse(
        "select sum(reported_amount) from core.core_reported_amount where item_code = '180' and year = 2019"
    )[0]
    assert energy == Decimal(665148 + 208622 + 211798 + 118157 + 11689)
    (stated,) = night.warehouse(
        "select sum(amount) from core.core_reported_amount where item_code = 'stated_emissions'"
    )[0]
    assert stated == Decimal(63694)
    assert night.warehouse(
        "select count(*) from core.core_direct_report_cells where cell_state <> 'used'"
    ) == [(0,)]


def test_operations_add_up_and_two_alike_both_count(night: Night) -> None:
    rows = night.warehouse(
        """select count(*), sum(electricity_kwh), sum(natural_gas_m3), sum(floor_area_m2)
        from marts.institution_year where region_code = 'CA-TOR'"""
    )
    n, electricity, gas, area = rows[0]
    assert n == 1478
    # cells of a source with more than four decimals rest rounded half up to four, each by less than 0.00005
    assert abs(electricity - Decimal("1506450262.715")) < Decimal("0.1")
    assert abs(gas - Decimal("53547232.415")) < Decimal("0.1")
    assert abs(area - SQUARE_FEET * Decimal("0.09290304")) < Decimal("0.1")
    named = night.warehouse(
        "select sum(n_failing) from gate.quality_result where rule_id = 'repeated_operation'"
    )
    assert named == [(3,)]
