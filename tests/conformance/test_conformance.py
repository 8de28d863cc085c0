"""The product against the conformance kit, and the kit against itself.

The product's own loading and dbt models answer every case; one factor of each formula is changed in turn, and the
cases must see it. A kit whose cases no error can break would prove nothing.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path

import conformance_kit as kit
import duckdb
import pytest
from product_answers import Product

ALL = kit.cases()
WITH_FACTORS = list(kit.rows(kit.HERE / "mutations.csv"))


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Product:
    return Product(tmp_path_factory.mktemp("worlds"), ALL)


@pytest.fixture(scope="module")
def answers(product: Product) -> dict[kit.Key, str]:
    return product.answers()


@pytest.mark.parametrize("kind", sorted({case.kind for case in ALL}))
def test_the_product_gives_every_expected_answer(kind: str, answers: dict[kit.Key, str]) -> None:
    wrong = kit.differences(answers, [case for case in ALL if case.kind == kind])
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("mutation", WITH_FACTORS, ids=lambda row: row["formula"])
def test_a_changed_factor_breaks_a_case_of_its_formula(
    mutation: dict[str, str], product: Product, answers: dict[kit.Key, str]
) -> None:
    world = next(
        item for item in product.worlds if item.cases[0].world == (mutation["profile"], mutation["as_of"])
    )
    asked = [case for case in world.cases if case.kind == mutation["kind"]]

    def change(con: duckdb.DuckDBPyConnection) -> None:
        n_rows = con.execute(
            f"update {mutation['relation']} set {mutation['column']} = ? where {mutation['where']} returning *",
            [mutation["value"]],
        ).fetchall()
        assert len(n_rows) == 1, f"{mutation['where']} names {len(n_rows)} rows"

    broken = kit.differences(product.with_change(world, mutation["relation"], change), asked)
    assert not kit.differences(answers, asked)
    assert set(mutation["breaks"].split("+")) <= {item.row["figure"] for item in broken}


def test_every_working_is_arithmetic_and_gives_what_is_expected() -> None:
    known = kit.figures()
    for case in ALL:
        assert case.rows["expected"], f"{case.id} expects nothing"
        for row in case.rows["expected"]:
            figure = known[row["figure"]]
            if figure.compare == "text" or row["expected"] == kit.MISSING:
                continue
            if not row["working"]:
                assert row.get("within"), (
                    f"{case.id} {row['figure']}: neither worked nor printed by its source"
                )
                continue
            value, stated = kit.worked(row["working"]), Fraction(row["expected"])
            assert abs(value - stated) <= kit.room(row, figure, value), f"{case.id} {row['figure']}: {value}"


def test_every_printed_cross_check_is_worked_and_has_its_case() -> None:
    """`cross_checks.csv`: what is printed follows from its working, half up at the printed digits, and a case holds it."""
    known = {case.id for case in ALL}
    checks = list(kit.rows(kit.HERE / "cross_checks.csv"))
    for check in checks:
        digits = len(check["stated"].partition(".")[2])
        assert kit.worked(f"half_up({check['working']}, {digits})") == Fraction(check["stated"]), check
        assert set(check["cases"].split("+")) - {""} <= known, check
        assert check["cases"] or check["remark"], check
    assert len({check["quantity"] for check in checks}) == len(checks)
    assert sum(bool(check["cases"]) for check in checks) >= 100


def test_no_two_cases_of_the_kit_are_the_same_rule() -> None:
    twice = [rule for rule, n in Counter((case.kind, case.rule) for case in ALL).items() if n > 1]
    assert not twice
    subjects = Counter(
        (case.world, subject)
        for case in ALL
        for subject in {row["subject"] for row in case.rows["inputs"] + case.rows["register"]}
    )
    assert [where for where, n in subjects.items() if n > 1] == [], "a subject belongs to one case"
    assert all(case.source for case in ALL)
    assert len(ALL) >= 300


def test_another_system_is_judged_by_its_answers_alone(tmp_path: Path, answers: dict[kit.Key, str]) -> None:
    """The command needs Python alone, says which cases fail, and fails on a wrong, a rounded and a missing answer."""
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    kit.write_answers(good, answers)
    assert judged(good, "heat")[0] == 0
    kit.write_answers(bad, answers | {("HT-001", "HT-001", "2023", "emissions_heat_tco2"): "11.0001"})
    code, said = judged(bad, "heat")
    assert code == 1
    assert "HT-001 (heat) HT-001 2023 emissions_heat_tco2: expected 11, got 11.0001" in said
    with good.open(encoding="utf-8", newline="") as handle:
        lines = [row for row in csv.reader(handle) if row[0] != "HT-002"]
    with bad.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows(lines)
    code, said = judged(bad)
    assert code == 1
    assert "no answer" in said
    assert judged(tmp_path / "none.csv")[0] == 2
    assert judged(good, "no-such-kind")[0] == 2


def judged(*arguments: object) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-S", "-E", str(kit.HERE / "conformance_kit.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


def test_a_seed_gives_the_same_draws_and_another_seed_others(
    product: Product, answers: dict[kit.Key, str]
) -> None:
    """SM-001 and SM-015 are one question at two seeds; asked again, each answers with the same digits."""
    ends = ("emissions_total_simulated_low_tco2", "emissions_total_simulated_high_tco2")
    for end in ends:
        assert answers["SM-001", "SM-001-R", "2021", end] != answers["SM-015", "SM-015-R", "2021", end]
    world = next(item for item in product.worlds if item.cases[0].profile == "simulation-reseeded")
    again = product.with_change(world, "raw.profile", lambda con: None)
    assert {key: answer for key, answer in again.items() if key[3] in ends} == {
        key: answer for key, answer in answers.items() if key[0] == "SM-015" and key[3] in ends
    }


@pytest.mark.parametrize("text", ["__import__('os')", "2 ** 8", "a + 1", "open(1)", "[1]", ""])
def test_a_working_is_arithmetic_alone(text: str) -> None:
    with pytest.raises((ValueError, SyntaxError)):
        kit.worked(text)


def test_workings_are_exact() -> None:
    assert kit.worked("0.1 + 0.2[kg]") == Fraction(3, 10)
    assert kit.worked("-(1 - 3) / 3") == Fraction(2, 3)
    assert kit.worked("half_up(2.345, 2)") == Fraction(235, 100)
    assert kit.worked("half_up(-2.345, 2)") == Fraction(-235, 100)
    assert abs(kit.worked("sqrt(2)") ** 2 - 2) < Fraction(1, 10**30)
    assert abs(kit.worked("exp(ln(7 / 3))") - Fraction(7, 3)) < Fraction(1, 10**30)
    assert abs(kit.worked("ln(2)") - Fraction(693147180559945309, 10**18)) < Fraction(1, 10**18)
