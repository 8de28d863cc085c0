"""Which source an amount is taken from, and how far the others are from it: the models on a few rows, worked by hand.

A  electricity  reported 1000, metered 900 (one of two buildings, half of the area), audited 1000
B  electricity  reported 1000, audited 1120
C  electricity  reported 1000, metered 1030
D  heat         billed by area: 400 m2, 12,000 yuan, no amount
E  natural gas  metered 50, nothing reported
F  gasoline     reported 100, of which vehicles 60; metered 41
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from pydantic import ValidationError

from benchmarks import scratch
from ingestion import declared
from ingestion.contracts.messages import Refusal
from ingestion.contracts.precedence import Precedence, PrecedenceOverride
from ingestion.contracts.profile import RegionProfile

_MODELS = ("core_source_amount", "core_source_choice", "core_chosen_amount", "reconciliation")
_READ = (
    "core_reported_amount", "core_direct_report_cells", "core_heating", "core_summary_reconciliation", "core_institution",
    "core_institution_register", "core_meter_year", "core_meter_month", "core_virtual_meter_month", "core_building",
    "core_audit_value", "core_region_path",
)  # fmt: skip
_SEEDS = (
    "carriers", "metering_items", "carrier_conversions", "method_limits", "direct_report_forms", "direct_report_items",
    "reconciliation_reasons",
)  # fmt: skip
_REPORTED = [
    ("A", "electricity", 1000), ("B", "electricity", 1000), ("C", "electricity", 1000), ("F", "gasoline", 100),
    ("F", "gasoline_vehicle", 60), ("D", "water", 7),
]  # fmt: skip


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        for schema in ("raw", "seeds", "staging", "core", "marts"):
            con.execute(f"create schema {schema}")
        scratch.seed(con, _SEEDS)
        scratch.declare(con, _READ)
        con.execute("create table staging.stg_control__build as select date '2026-11-20' as as_of")
        con.execute(
            """insert into core.core_region_path (region_code, ancestor_code, n_steps, is_ancestor_group)
            values ('town', 'town', 0, false), ('town', 'city', 1, false), ('town', 'group', 1, true)"""
        )
        con.execute("""
            insert into core.core_institution by name
            select 'uscc' as institution_id_scheme, unnest(['A', 'B', 'C', 'D', 'E', 'F']) as institution_id, 2021 as year,
                'town' as region_code, 'X' as institution_name, date '2021-01-01' as year_starts_on
        """)
        for institution, carrier, amount in _REPORTED:
            con.execute(
                """insert into core.core_reported_amount by name
                select 'uscc' as institution_id_scheme, $1 as institution_id, 2021 as year, '1' as item_code, $2 as carrier,
                    'amount' as measure, (select canonical_unit from seeds.carriers where carrier = $2) as unit,
                    'annual' as return_kind, $3 as amount, 12 as months_reported""",
                [institution, carrier, amount],
            )
        con.execute("""
            insert into core.core_building by name
            select unnest(['a1', 'a2', 'c1', 'e1', 'f1']) as building_code,
                unnest(['A', 'A', 'C', 'E', 'F']) as institution_id, 500 as floor_area_m2
        """)
        con.execute("""
            insert into core.core_meter_year by name
            select *, 2021 as year, true as is_counted_in_building, 1.0 as coverage_share, false as is_virtual
            from (values ('a1', '01000', 'electricity', 900, 'kWh'), ('c1', '01000', 'electricity', 1030, 'kWh'),
                ('e1', '03000', 'natural_gas', 50, 'm3')) as t (building_code, item_code, carrier, amount, reported_unit)
        """)
        con.execute("""
            insert into core.core_meter_month by name
            select 'c1' as building_code, '01000' as item_code, 2021 as year, range as month, 'kWh' as reported_unit,
                case range when 1 then 85.0 else 945.0 / 11 end as reported_amount
            from range(1, 13)
        """)
        con.execute("""
            insert into core.core_audit_value by name
            select *, 'electricity' as carrier, 'amount' as measure, 2021 as year, 'year' as period_kind, 0 as period_index,
                'kWh' as unit, 'audit.xlsx' as path, 5 as row_number, 7 as column_number
            from (values ('A', 1000), ('B', 1120)) as t (institution_id, amount)
        """)
        con.execute("""
            insert into core.core_heating by name
            select 'uscc' as institution_id_scheme, 'D' as institution_id, 2021 as year, 400 as area_billed_by_area_m2,
                12000 as heat_billed_by_area_cny, true as has_unmeasured_heat
        """)
        yield con


def rule(sources: list[Any], carriers: tuple[str, ...] = ("electricity",), **more: Any) -> Precedence:
    return Precedence.model_validate(
        {"id": "P", "carriers": carriers, "sources": sources, "document": "a decision of the office", **more}
    )


def override(**more: Any) -> PrecedenceOverride:
    told = {
        "id": "O",
        "institution": "A",
        "carrier": "electricity",
        "year": 2021,
        "reason": "seen",
        "reviewer": "r",
    }
    return PrecedenceOverride.model_validate(told | more)


def build(
    con: duckdb.DuckDBPyConnection, *rules: Precedence, overrides: tuple[PrecedenceOverride, ...] = ()
) -> None:
    said = SimpleNamespace(precedence=rules, region="city", silence_windows=())
    declared.write_precedence(con, said, overrides)  # type: ignore[arg-type]
    scratch.build(con, _MODELS)


def ledger(con: duckdb.DuckDBPyConnection, columns: str, kind: str = "year") -> dict[tuple[str, str], Any]:
    rows = con.execute(
        f"select institution_id, carrier, {columns} from marts.reconciliation where period_kind = '{kind}'"
    ).fetchall()
    found = {row[:2]: row[2:] if len(row) > 3 else row[2] for row in rows}
    assert len(found) == len(rows)
    return found


def entering(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], tuple[Any, ...]]:
    """What figures are made of: amount and where it is from."""
    return {
        row[:2]: row[2:]
        for row in con.execute(
            "select institution_id, carrier, cast(amount as integer), return_kind from core.core_chosen_amount"
        ).fetchall()
    }


def test_without_a_declaration_the_reported_amounts_stand(con: duckdb.DuckDBPyConnection) -> None:
    build(con)
    assert entering(con) == {(who, carrier): (amount, "annual") for who, carrier, amount in _REPORTED}
    found = ledger(con, "chosen_source, agreement_class, scope_reason_codes, choice_reason_code")
    assert found == {
        ("A", "electricity"): ("reported", "explained_by_scope", "unmetered_buildings", "reported_stands"),
        ("B", "electricity"): ("reported", "not_matching", None, "reported_stands"),
        ("C", "electricity"): ("reported", "agrees", None, "reported_stands"),
        ("D", "heat"): ("none", "not_measured", "heat_by_area", "not_measured"),
        ("D", "water"): ("reported", "single_source", None, "reported_stands"),
        ("E", "natural_gas"): ("none", "single_source", None, "not_reported"),
        ("F", "gasoline"): ("reported", "single_source", None, "reported_stands"),
        ("F", "gasoline_vehicle"): ("reported", "single_source", None, "reported_stands"),
    }


def test_differences_coverage_and_tolerance_are_those_worked_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    build(con)
    found = ledger(
        con,
        "metered_difference_amount, metered_difference_share, metered_area_share, n_metered_buildings, "
        "n_registered_buildings, audited_difference_amount, audited_difference_share, tolerance_amount",
    )
    assert found["A", "electricity"] == (Decimal("-100"), -0.1, 0.5, 1, 2, Decimal(0), 0.0, Decimal(50))
    assert found["B", "electricity"][5:] == (Decimal(120), 0.12, Decimal(50))
    months = ledger(con, "n_months_metered, unmeasured_area_m2, unmeasured_cost_cny")
    assert months["C", "electricity"] == (12, None, None)
    assert months["D", "heat"] == (None, Decimal(400), Decimal(12000))


def test_months_stand_where_two_sources_have_them(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        insert into core.core_direct_report_cells by name
        select 'uscc' as institution_id_scheme, 'C' as institution_id, 2021 as year, 'month' as period_kind,
            range as period_index, 'electricity' as carrier, 'amount' as measure, 'used' as cell_state, 'return' as form_role,
            100 as amount, 'kWh' as unit
        from range(1, 3)
    """)
    build(con)
    rows = con.execute(
        "select period_index, reported_amount, metered_amount, agreement_class from marts.reconciliation "
        "where period_kind = 'month' order by 1"
    ).fetchall()
    assert rows == [
        (1, Decimal(100), Decimal(85), "differs"),
        (2, Decimal(100), Decimal("85.9091"), "differs"),
    ]


def test_fuel_of_vehicles_explains_what_meters_do_not_see(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "insert into seeds.metering_items (item_code, carrier, canonical_unit) values ('09000', 'gasoline', 'L')"
    )
    con.execute("""
        insert into core.core_meter_year by name
        select 'f1' as building_code, '09000' as item_code, 'gasoline' as carrier, 41 as amount, 'L' as reported_unit,
            2021 as year, true as is_counted_in_building, 1.0 as coverage_share
    """)
    build(con)
    columns = "vehicle_amount, agreement_class, scope_reason_codes"
    assert ledger(con, columns)["F", "gasoline"] == (
        Decimal(60), "explained_by_scope", "vehicles_outside_meters",
    )  # fmt: skip
    con.execute("update core.core_meter_year set amount = 20 where building_code = 'f1'")
    build(con)
    assert ledger(con, columns)["F", "gasoline"][1] == "differs"


def test_a_region_that_declares_meters_first_gets_metered_figures(con: duckdb.DuckDBPyConnection) -> None:
    build(con, rule(["metered", "audited", "reported"]), rule(["metered", "none"], ("natural_gas",), id="G"))
    assert entering(con)["A", "electricity"] == (900, "metered")
    assert entering(con)["B", "electricity"] == (1120, "audited")
    assert entering(con)["E", "natural_gas"] == (50, "metered")
    assert entering(con)["D", "water"] == (7, "annual")
    found = ledger(con, "chosen_amount, precedence_id, choice_reason_code, reported_difference_share")
    assert found["A", "electricity"] == (Decimal(900), "P", "precedence", 1 / 9)


def test_the_nearest_region_decides_and_no_other_carrier_is_touched(con: duckdb.DuckDBPyConnection) -> None:
    build(con, rule(["metered", "reported"]), rule(["reported", "none"], region="town", id="T"))
    assert entering(con)["A", "electricity"] == (1000, "annual")
    assert ledger(con, "precedence_id")["A", "electricity"] == "T"


def test_what_a_precedence_cannot_decide_is_undecided_and_enters_nothing(
    con: duckdb.DuckDBPyConnection,
) -> None:
    build(con, rule(["metered", "audited"]), rule(["audited"], ("water",), id="W"))
    assert ledger(con, "chosen_source, choice_reason_code")["D", "water"] == ("undecided", "no_source")
    assert ("D", "water") not in entering(con)
    build(con, rule([["reported", "metered", "audited"]]))
    found = ledger(con, "chosen_source, choice_reason_code, chosen_amount, agreement_class")
    assert found["A", "electricity"] == ("undecided", "rank_differs", None, "undecided")
    assert found["C", "electricity"] == ("reported", "rank_agrees", Decimal(1000), "agrees")
    assert ("B", "electricity") not in entering(con)
    build(con, rule([["reported", "audited"]], tolerance_share="0.2"))
    assert ledger(con, "chosen_source, tolerance_amount")["B", "electricity"] == ("reported", Decimal(200))
    build(con, rule(["audited", "none"], ("water",)))
    assert ledger(con, "chosen_source, choice_reason_code")["D", "water"] == ("none", "none_left")
    assert ("D", "water") not in entering(con)


def test_an_override_holds_for_its_key_while_the_source_says_what_was_seen(
    con: duckdb.DuckDBPyConnection,
) -> None:
    first = rule(["metered", "reported"])
    build(con, first, overrides=(override(source="audited", expect="1000"),))
    assert entering(con)["A", "electricity"] == (1000, "audited")
    assert entering(con)["C", "electricity"] == (1030, "metered")
    found = ledger(con, "override_id, override_reviewer, reason_en")
    assert found["A", "electricity"] == ("O", "r", "a reviewer decided this one otherwise: seen")
    for unmatched in (
        override(source="audited", expect="999"),
        override(source="audited", expect="1000", expires_on="2026-11-19"),
        override(source="audited", expect="1000", year=2020),
    ):
        build(con, first, overrides=(unmatched,))
        assert entering(con)["A", "electricity"] == (900, "metered")
    build(con, first, overrides=(override(source="none"),))
    assert ("A", "electricity") not in entering(con)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sources": []},
        {"sources": ["reported", "reported"]},
        {"sources": ["none", "reported"]},
        {"sources": [["reported", "none"]]},
        {"sources": [[], "reported"]},
        {"sources": ["guessed"]},
        {"sources": ["reported"], "carriers": []},
        {"sources": ["reported"], "tolerance_share": "1.5"},
    ],
)
def test_a_precedence_that_is_no_order_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Precedence.model_validate({"id": "P", "carriers": ["heat"], "document": "a decision", **wrong})


def test_two_precedences_for_one_thing_and_unknown_names_are_refused() -> None:
    told = {
        "id": "p",
        "region": "1",
        "regions": [{"code": "1", "name_zh": "市", "name_en": "city", "level": "city"}],
    }
    one = rule(["reported"]).model_dump()
    for wrong in ([one, {**one, "id": "Q"}], [one, {**one, "carriers": ["heat"]}], [{**one, "region": "2"}]):
        with pytest.raises(ValidationError):
            RegionProfile.model_validate({**told, "precedence": wrong})
    profile = RegionProfile.model_validate({**told, "precedence": [{**one, "carriers": ["steam"]}]})
    with pytest.raises(Refusal, match="steam"):
        declared.check_carriers(profile, [])
