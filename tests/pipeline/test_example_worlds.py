"""The example district against its truth: the clean world, the defective one and the blocking one."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from nights import TANCANG, Night, run_night

Truth = Callable[[str], list[dict[str, str]]]
PRINTED = {
    ("energy_per_area_primary_kgce_m2", 2021): "11.56",
    ("energy_per_capita_primary_kgce_person", 2021): "135.10",
    ("water_per_capita_m3_person", 2021): "14.49",
    ("energy_per_area_primary_change_pct", 2021): "-7.40",
    ("energy_per_capita_primary_change_pct", 2021): "-13.03",
    ("water_per_capita_change_pct", 2021): "-2.84",
}


def institution_rows(night: Night, columns: list[str]) -> dict[tuple[str, int], dict[str, Decimal | None]]:
    listed = ", ".join(columns)
    rows = night.published(f"select institution_id, year, {listed} from published.institution_year")
    return {(row[0], row[1]): dict(zip(columns, row[2:], strict=True)) for row in rows}


def expected_institutions(truth: Truth) -> dict[tuple[str, int], dict[str, Decimal | None]]:
    return {
        (row["institution_id"], int(row["year"])): {
            name: Decimal(text) if text else None
            for name, text in row.items()
            if name not in ("institution_id", "year")
        }
        for row in truth("institution_year.csv")
    }


def differences(
    found: dict[tuple[str, int], dict[str, Decimal | None]],
    wanted: dict[tuple[str, int], dict[str, Decimal | None]],
) -> dict[tuple[str, int, str], tuple[Decimal | None, Decimal | None]]:
    return {
        (*key, name): (found.get(key, {}).get(name), value)
        for key, values in wanted.items()
        for name, value in values.items()
        if found.get(key, {}).get(name) != value
    }


def test_the_clean_night_is_published_and_prints_the_reported_figures(clean: Night) -> None:
    assert clean.code == 0, clean.said[-3000:]
    assert clean.facts["outcome"] == "published"
    assert clean.facts["fail"] == 0
    ours = {(row["indicator"], row["year"]): row["ours"] for row in clean.facts["figures"]}
    for key, printed in PRINTED.items():
        assert ours[key] == printed, key


def test_the_clean_world_is_the_truth_to_the_last_digit(clean: Night, truth: Truth) -> None:
    wanted = expected_institutions(truth)
    columns = list(next(iter(wanted.values())))
    found = institution_rows(clean, columns)
    assert len(found) == len(wanted) == 898
    assert differences(found, wanted) == {}


def test_the_buildings_are_the_truth_to_the_last_digit(clean: Night, truth: Truth) -> None:
    amounts = [
        name
        for name in truth("building_year.csv")[0]
        if name not in ("building_code", "year", "electricity_coverage_share")
    ]
    rows = clean.published(
        f"select building_code, year, electricity_coverage_share, {', '.join(amounts)} from published.building_year"
    )
    found = {(row[0], row[1]): row for row in rows}
    for wanted in truth("building_year.csv"):
        row = found[wanted["building_code"], int(wanted["year"])]
        for name, value in zip(amounts, row[3:], strict=True):
            assert value == (Decimal(wanted[name]) if wanted[name] else None), (
                wanted["building_code"],
                wanted["year"],
                name,
            )
        assert row[2] == pytest.approx(float(Fraction(wanted["electricity_coverage_share"])), abs=1e-12)


def test_the_sums_of_the_district_are_exact(clean: Night, truth: Truth) -> None:
    for line in truth("headline.csv"):
        figure = line["figure"]
        if "change" in figure or "per_" in figure:
            continue
        rows = clean.published(
            f"""select {figure} from published.region_year
            where region_code = '310118' and year = ? and population = 'reported'""",
            int(line["year"]),
        )
        assert rows == [(Decimal(line["value"]),)] or rows == [(int(Decimal(line["value"])),)], figure


def test_no_published_column_is_empty_in_every_example(
    clean: Night, defective: Night, waived: Night, strangers: Night
) -> None:
    """Some columns speak only when something is wrong: a waiver, a refusal, a fuel without its split."""
    tables = [
        row[0]
        for row in clean.published(
            "select table_name from information_schema.tables where table_schema = 'published' order by 1"
        )
    ]
    assert len(tables) >= 8
    always_empty = set()
    for table in tables:
        columns = [
            row[0]
            for row in clean.published(
                "select column_name from information_schema.columns where table_schema = 'published' and table_name = ?",
                table,
            )
        ]
        counted = ", ".join(f'count("{name}")' for name in columns)
        totals = [0] * len(columns)
        for night in (clean, defective, waived, strangers):
            counts = night.published(f"select {counted} from published.{table}")[0]
            totals = [total + n for total, n in zip(totals, counts, strict=True)]
        always_empty |= {f"{table}.{name}" for name, n in zip(columns, totals, strict=True) if n == 0}
    assert always_empty == set()


def test_every_defect_is_found_by_its_rule_at_its_place(defective: Night, truth: Truth) -> None:
    assert defective.code == 0, defective.said[-3000:]
    rows = defective.published(
        "select rule_id, path, cell, line, row_key, is_mended from published.quality_failure"
    )
    planted = [line for line in truth("defects.csv") if line["world"] == "defective"]
    assert len({line["defect_id"] for line in planted}) == 26
    missing = []
    for line in planted:
        place = line["path"].split("/", 1)[1]
        hits = [row for row in rows if row[0] == line["rule_id"] and (row[1] or "").endswith(place)]
        if line["cell"]:
            hits = [
                row
                for row in hits
                if row[2] == line["cell"] or (row[3] is not None and str(row[3]) == line["line"])
            ]
        elif line["line"]:
            hits = [row for row in hits if row[3] is not None and str(row[3]) == line["line"]]
        elif line["institution_id"]:
            hits = [
                row for row in rows if row[0] == line["rule_id"] and line["institution_id"] in (row[4] or "")
            ]
        if not hits:
            missing.append((line["defect_id"], line["rule_id"], line["path"], line["cell"] or line["line"]))
    assert missing == []


def test_mended_figures_are_those_of_the_clean_world_and_flagged_ones_as_stated(
    defective: Night, truth: Truth
) -> None:
    wanted = expected_institutions(truth)
    stated: dict[tuple[str, int, str], Decimal | None] = {}
    months: dict[tuple[str, int], int] = {}
    for line in truth("defects.csv"):
        if line["world"] != "defective" or not line["figure"] or not line["institution_id"]:
            continue
        key = (line["institution_id"], int(line["year"] or 2021))
        if line["figure"] == "months_reported":
            months[key] = int(line["expected_value"])
            continue
        value = Decimal(line["expected_value"]) if line["expected_value"] else None
        stated[(*key, line["figure"])] = value
        if key in wanted and line["figure"] in wanted[key]:
            wanted[key][line["figure"]] = value
    columns = list(next(iter(wanted.values())))
    found = institution_rows(defective, columns)
    assert differences(found, wanted) == {}
    strangers = {key: value for key, value in stated.items() if (key[0], key[1]) not in wanted}
    assert strangers, "the unregistered institution is stated"
    for (institution, year, column), value in strangers.items():
        assert found[institution, year][column] == value
    for (institution, year), n_months in months.items():
        rows = defective.published(
            "select months_reported from published.institution_year where institution_id = ? and year = ?",
            institution,
            year,
        )
        assert rows == [(n_months,)]


def test_buildings_of_the_defective_world(defective: Night, truth: Truth) -> None:
    lines = [
        x for x in truth("defects.csv") if x["world"] == "defective" and x["building_code"] and x["figure"]
    ]
    assert lines
    for line in lines:
        (value,) = defective.published(
            f"select {line['figure']} from published.building_year where building_code = ? and year = ?",
            line["building_code"],
            int(line["year"]),
        )[0]
        if line["figure"].endswith("share"):
            assert value == pytest.approx(float(Fraction(line["expected_value"])), abs=1e-12)
        else:
            assert value == Decimal(line["expected_value"])


def test_blocking_files_end_with_exit_1_and_yesterdays_release_stands(
    blocked: tuple[Night, Night], truth: Truth
) -> None:
    before, after = blocked
    assert before.code == 0
    assert after.code == 1
    assert after.facts["outcome"] == "refused"
    planted = [line for line in truth("defects.csv") if line["world"] == "blocking"]
    assert set(after.facts["failing"]) == {line["rule_id"] for line in planted if line["kind"] == "blocking"}
    assert after.facts["release_id"] == before.facts["release_id"]
    assert (after.home / "current").resolve().name == before.facts["release_id"]
    assert after.facts["refused_files"] == ["NY201_2021_rowdata_late.json"]
    for line in planted:
        if line["kind"] == "blocking":
            assert line["cell"] in after.said
    assert "拒收" in after.said or "✗ NY201_2021_rowdata_late.json" in after.said


def test_the_ledger_balances_in_every_world(clean: Night, defective: Night, strangers: Night) -> None:
    for night in (clean, defective, strangers):
        assert night.published(
            "select count(*) from published.row_ledger where not is_balanced or is_balanced is null"
        ) == [(0,)]
        (total,) = night.published("select count(*) from published.row_ledger")[0]
        assert total > 10
    superseded = defective.published(
        "select sum(n_superseded) from published.row_ledger where unit = 'record'"
    )
    assert (
        superseded[0][0]
        > clean.published("select sum(n_superseded) from published.row_ledger where unit = 'record'")[0][0]
    )


def test_the_queue_says_what_waits_with_the_line_that_settles_it(defective: Night) -> None:
    done = subprocess.run(
        [TANCANG, "queue", "--home", str(defective.home), "--json"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    waits = json.loads(done.stdout)
    assert {(row["kind"], row["found"]) for row in waits["codes"]} == {("item", "999"), ("unit", "斤")}
    ((proposed,), meters) = waits["scales"], waits["meters"]
    assert (proposed["path"], proposed["proposed_unit"], proposed["item_code"]) == (
        "NY201_2021_f.csv",
        "万元",
        "141",
    )
    assert '"unit": "万元"' in proposed["line"]
    assert meters == []
    spoken = subprocess.run([TANCANG, "queue", "--home", str(defective.home)], capture_output=True, text=True)
    assert proposed["line"] in spoken.stdout
    assert "未知代码" in spoken.stdout
    assert "unknown codes" in spoken.stdout


def test_the_queue_of_a_clean_night_is_empty(clean: Night) -> None:
    done = subprocess.run(
        [TANCANG, "queue", "--home", str(clean.home), "--json"], capture_output=True, text=True
    )
    assert json.loads(done.stdout) == {"codes": [], "scales": [], "meters": [], "matches": [], "restatements": []}


def test_a_second_night_without_news_makes_no_release(clean: Night) -> None:
    before = sorted(path.name for path in (clean.home / "releases").iterdir())
    again = run_night(clean.home)
    assert (again.code, again.facts["outcome"]) == (0, "nothing_new")
    assert sorted(path.name for path in (clean.home / "releases").iterdir()) == before


def test_a_damaged_release_is_noticed_by_the_empty_night(clean: Night, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(clean.home, home, symlinks=True)
    target = home / "releases" / clean.facts["release_id"]
    (home / "current").unlink()
    (home / "current").symlink_to(Path("releases") / clean.facts["release_id"])
    victim = next(target.glob("parquet/**/*.parquet"))
    victim.chmod(0o644)
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes(bytes(data))
    night = run_night(home)
    assert night.code == 1
    assert victim.name in night.said


def test_parts_and_summaries_are_the_truth_and_move_nothing(clean: Night, truth: Truth) -> None:
    """Data rooms and heating are published as parts of what NY201 holds, which is the truth of NY201 alone."""
    wanted = {
        (row["institution_id"], int(row["year"])): {
            name: Decimal(text) if text else None
            for name, text in row.items()
            if name not in ("institution_id", "year")
        }
        for row in truth("parts.csv")
    }
    columns = list(next(iter(wanted.values())))
    found = {key: row for key, row in institution_rows(clean, columns).items() if any(row.values())}
    assert found == wanted
    summary = {
        (row.get("form_code", "NY301"), row["class_column_code"], row["item_code"]): Decimal(row["value"])
        for name in ("summary.csv", "summary_of_parts.csv")
        for row in truth(name)
    }
    rows = clean.warehouse(
        """select form_code, class_column_code, item_code, unit, summary_amount, base_amount, is_within_tolerance
        from core.core_summary_reconciliation"""
    )
    assert len(rows) == len(summary)
    for form, column, item, unit, summed, base, is_within in rows:
        kgce_per_tce = 1000 if unit == "kgce" else 1
        assert (summed, base) == (summary[form, column, item] * kgce_per_tce,) * 2, (form, column, item)
        assert is_within
    assert clean.warehouse("select count(*) from core.core_part_amount where not is_within_tolerance") == [
        (0,)
    ]


def test_what_no_form_counts_is_no_activity(clean: Night) -> None:
    """Every amount that counts is a cell of NY201 or of the supplement beside it."""
    rows = clean.warehouse(
        """select distinct cells.form_code
        from core.core_reported_amount as amounts
        inner join core.core_direct_report_cells as cells
            on amounts.file_id = cells.file_id and amounts.row_number = cells.row_number
            and amounts.column_number = cells.column_number
        order by 1"""
    )
    assert rows == [("NY201",), ("supplement",)]
    forms = clean.warehouse(
        "select distinct form_code from core.core_direct_report_cells where cell_state = 'used' order by 1"
    )
    assert forms == [("NY201",), ("NY202",), ("NY203",), ("NY301",), ("NY302",), ("NY303",), ("supplement",)]


def test_what_stands_beside_the_returns_is_published_and_deducted(clean: Night, truth: Truth) -> None:
    """Volumes to the digit; passed on at the factor of 2021 in Shanghai (0.5834 kg/kWh) and of heat (0.11 t/GJ)."""
    wanted = {
        (row["institution_id"], int(row["year"])): {
            name: Decimal(text) if text else None
            for name, text in row.items()
            if name not in ("institution_id", "year")
        }
        for row in truth("beside.csv")
    }
    columns = list(next(iter(wanted.values())))
    assert {key: row for key, row in institution_rows(clean, columns).items() if any(row.values())} == wanted
    rows = clean.published(
        """select electricity_kwh - coalesce(electricity_passed_on_kwh, 0), heat_gj - coalesce(heat_passed_on_gj, 0),
            emissions_electricity_tco2, emissions_heat_tco2
        from published.institution_year
        where year = 2021 and (electricity_passed_on_kwh > 0 or heat_passed_on_gj > 0)"""
    )
    assert len(rows) == 2
    for kwh, gj, electricity, heat in rows:
        assert electricity == kwh * Decimal("0.0005834")
        assert heat == (None if gj is None else gj * Decimal("0.11"))


def test_green_power_counts_with_a_valid_document_only(clean: Night) -> None:
    """2021: (bought - passed on - green with proof) x 0.5942, the one national row; 2020 has no row of that family."""
    rows = clean.published(
        """select electricity_kwh - coalesce(electricity_passed_on_kwh, 0) - coalesce(green_electricity_kwh, 0),
            emissions_electricity_market_based_tco2,
            emissions_total_tco2 - emissions_electricity_tco2 + emissions_electricity_market_based_tco2
                - emissions_total_market_based_tco2
        from published.institution_year where year = 2021"""
    )
    assert len(rows) == 449
    for kwh, tonnes, rest in rows:
        assert tonnes == kwh * Decimal("0.0005942")
        assert rest == 0
    assert clean.published(
        "select refused_reason, count(*) from published.green_power group by 1 order by 1 nulls first"
    ) == [
        (None, 1),
        ("document_not_valid", 1),
        ("no_document", 1),
    ]
    (before,) = clean.published(
        "select count(emissions_total_market_based_tco2) from published.region_year where year = 2020"
    )[0]
    assert before == 0


def test_the_inventory_gives_the_masses_that_were_worked_by_hand(clean: Night, truth: Truth) -> None:
    """Every gas of every activity to the last digit; totals of them; the institutions' part within what the district states."""
    wanted = truth("inventory.csv")
    found = {
        (str(year), category, gas, name): figures
        for year, category, gas, subject, name_zh, *figures in clean.published(
            """select year, category_code, gas, subject, subject_name_zh, gas_mass_kg, emissions_tco2e
            from published.inventory_category where inventory_scope = 'district'"""
        )
        for name in {subject, name_zh}
    }
    for row in wanted:
        key = row["year"], row["category_code"], row["gas"], row["subject"]
        assert found[key] == [
            Decimal(row[name]) if row[name] else None for name in ("gas_mass_kg", "emissions_tco2e")
        ], key
    totals = clean.published(
        """select year, emissions_direct_tco2e, emissions_indirect_tco2e, emissions_total_tco2e, is_emissions_complete,
            missing_reasons, emissions_direct_low_tco2e < emissions_direct_tco2e::double, uncertainty_state,
            emissions_outside_basket_tco2e
        from published.inventory_year where inventory_scope = 'district' order by year"""
    )
    assert len(totals) == 2
    for year, direct, indirect, total, *others in totals:
        by_hand = [
            (Decimal(row["emissions_tco2e"] or 0), row["category_code"] == "1.A-EL")
            for row in wanted
            if row["year"] == str(year) and row["gas"] != "HCFC22"
        ]
        (outside,) = (
            Decimal(row["emissions_tco2e"])
            for row in wanted
            if row["year"] == str(year) and row["gas"] == "HCFC22"
        )
        assert direct == sum(tco2e for tco2e, is_power in by_hand if not is_power)
        assert indirect == sum(tco2e for tco2e, is_power in by_hand if is_power)
        assert total == direct + indirect
        # no factor of the methane and nitrous oxide of households was gathered
        assert others == [False, "factor_missing", True, "computed", outside]
    parts = clean.published(
        """select year, max(activity_amount) filter (where inventory_scope = 'district'),
            max(activity_amount) filter (where inventory_scope = 'public_institutions')
        from published.inventory_category
        where region_code = '310118' and category_code = '1.A.4.a' and subject = 'natural_gas' and gas = 'CH4' group by year"""
    )
    assert len(parts) == 2
    assert all(0 < part < whole for _, whole, part in parts)
    simulated = clean.published(
        """select simulation_state, figure_simulated_low_tco2 < figure_simulated_mean_tco2
        from published.emission_simulation where population = 'inventory' and region_code = '310118'"""
    )
    assert simulated == [("simulated", True)] * 4


def test_frozen_factors_stand_beside_the_moving_ones(clean: Night) -> None:
    """The stand-in of the base year is the row of 2021, so that both views agree in both years, to the digit."""
    rows = clean.published(
        """select emissions_total_tco2, emissions_total_frozen_tco2, emissions_total_change_pct, emissions_total_frozen_change_pct
        from published.region_year where year = 2021"""
    )
    assert rows
    assert all(moving == frozen and one == other for moving, frozen, one, other in rows)


def test_a_register_tells_its_history_and_who_was_divided_does_not_compare(
    defective: Night, clean: Night
) -> None:
    def told(night: Night) -> dict[str, int]:
        return dict(
            night.published(
                "select institution_event_kind, count(*) from published.institution_history group by 1"
            )
        )

    assert told(clean) == {"opened": 449}
    changes = ("renamed", "moved", "type_changed", "level_changed", "area_changed", "persons_changed")
    sides = ("split_from", "split_off", "merged_into", "absorbed")
    assert told(defective) == {"opened": 449, **dict.fromkeys((*changes, *sides), 1)}
    assert defective.published(
        """select changed_on::varchar, value_before, value_after, path, row_number from published.institution_history
        where institution_event_kind = 'area_changed'"""
    ) == [("2019-07-01", "600.0000", "1200.0000", "institutions.csv", 121)]
    # 450 reported in 2021: one was new, one lacks a month, two were divided in 2020; the merger of 1 January 2020 takes out none
    alike = """select n_institutions from published.region_year
        where region_code = '310118' and year = 2021 and population = 'like_for_like'"""
    assert (clean.published(alike), defective.published(alike)) == ([(449,)], [(446,)])


def test_meters_needed_and_fitted_are_told_of_institutions_and_regions(defective: Night) -> None:
    told = """select provision_subject, carrier, meter_level_number, n_meters_required, n_meters_fitted, n_meters_registered,
            provision_share, is_provision_met
        from published.meter_provision
        where year = 2021 and n_meters_required is not null and (provision_subject = 'institution' or subject_code = '310118')
        order by all"""
    assert defective.published(told) == [
        ("institution", "electricity", 1, 1, 1, 1, 1.0, True),
        ("institution", "electricity", 3, 4, 3, None, 0.75, False),
        ("institution", "water", 1, 2, 3, None, 1.0, True),
        ("region", "electricity", 1, 1, 1, 1, 1.0, None),
        ("region", "electricity", 3, 4, 3, None, 0.75, None),
        ("region", "water", 1, 2, 3, None, 1.0, None),
    ]


def test_a_group_of_regions_is_published_beside_the_tree_and_in_no_sum(clean: Night) -> None:
    figures = "region_code, year, n_institutions, n_group_members, n_group_members_in_scope, electricity_kwh"
    rows = {
        (row[0], row[1]): row[2:]
        for row in clean.published(
            f"select {figures} from published.region_year where population = 'reported'"
        )
    }
    # of the zone only this district lies in the home
    for year in (2020, 2021):
        n_institutions, _, _, kwh = rows["310118", year]
        assert rows["yangtze-delta-zone", year] == (n_institutions, 3, 1, kwh)
    towns = ["310118102", "310118103", "310118104"]
    for year, held in ((2020, [*towns, "310118105"]), (2021, towns)):
        wanted = (
            sum(rows[town, year][0] for town in held), len(held), len(held), sum(rows[town, year][3] for town in held)
        )  # fmt: skip
        assert rows["western-towns", year] == wanted
