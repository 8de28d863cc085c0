"""Monte Carlo of shared rows: against error propagation, order, threads, distributions, what cannot be drawn."""

from __future__ import annotations

import math
import os
import random
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from test_uncertainty import INVENTORY, INVENTORY_INTERVALS, many, total, world

from quality.simulation import Interval, Term, simulate
from quality.uncertainty import read_figures, write_simulation

DRAWS = 200_000
SEED = 2006


def term(row: str, amount: float, half: float = 0, stream: str = "2021", sign: int = 1) -> Term:
    return Term((row,), stream, amount, half, half, sign)


def simulated(
    con: duckdb.DuckDBPyConnection, draws: int = DRAWS, seed: int = SEED
) -> duckdb.DuckDBPyConnection:
    con.execute("create table raw.profile (key varchar, value varchar)")
    con.execute(
        "insert into raw.profile values ('simulation_draws', ?), ('simulation_seed', ?)",
        [str(draws), str(seed)],
    )
    write_simulation(con)
    return con


COMPARED = """
    select (figure_tco2::double - figure_simulated_low_tco2) / (figure_tco2::double - figure_low_tco2) as minus,
        (figure_simulated_high_tco2 - figure_tco2::double) / (figure_high_tco2 - figure_tco2::double) as plus,
        (figure_change_simulated_high_tco2 - figure_change_simulated_low_tco2)
            / (figure_change_high_tco2 - figure_change_low_tco2) as change
    from emission_uncertainty inner join marts.emission_simulation using (region_code, year, population, figure)
    where simulation_state = 'simulated'"""


def test_both_approaches_agree_where_the_first_applies() -> None:
    """Small, near-symmetric errors: half-widths of every level and widths of every change within 2 % at 200,000 draws."""
    con = simulated(world(many(3)))
    ratios = con.execute(COMPARED).fetchall()
    assert len(ratios) == 18
    for minus, plus, change in ratios:
        assert minus == pytest.approx(1, abs=0.02)
        assert plus == pytest.approx(1, abs=0.02)
        assert change is None or change == pytest.approx(1, abs=0.02)
    assert sum(change is not None for _, _, change in ratios) == 12


def test_both_approaches_agree_on_an_inventory() -> None:
    """Gases of an inventory, one of them taken up at a row that another gives off by: levels and change within 2 %."""
    con = simulated(world([], INVENTORY_INTERVALS, inventory=INVENTORY))
    ratios = con.execute(COMPARED + " and population = 'inventory'").fetchall()
    assert len(ratios) == 4
    for minus, plus, change in ratios:
        assert minus == pytest.approx(1, abs=0.02)
        assert plus == pytest.approx(1, abs=0.02)
        assert change is None or change == pytest.approx(1, abs=0.02)
    assert sum(change is not None for _, _, change in ratios) == 2


def test_a_shared_row_is_drawn_once() -> None:
    """A hundred amounts at one row keep its 10 %; at a row each they would show a tenth of it."""
    intervals = {f"EL{i}": Interval(10, 10) for i in range(100)} | {"EL": Interval(10, 10)}
    found = simulate(
        {"shared": [term("EL", 10)] * 100, "apart": [term(f"EL{i}", 10) for i in range(100)]},
        intervals,
        DRAWS // 4,
        SEED,
    )
    assert found["shared"].high - 1000 == pytest.approx(100, rel=0.02)
    assert found["apart"].high - 1000 == pytest.approx(10, rel=0.02)


def test_a_row_that_two_years_share_is_drawn_once_in_their_change() -> None:
    """1100 t, then 1000 t: 10 % of 100 from the row, 2 % of each from the amounts, which err apart: ±31.4 t."""
    now, before = term("EL", 1000, 20), term("EL", 1100, 22, "2020", -1)
    other = Term(("EL0",), "2020", 1100, 22, 22, -1)
    intervals = {"EL": Interval(10, 10), "EL0": Interval(10, 10)}
    found = simulate({"one": [now, before], "two": [now, other]}, intervals, DRAWS, SEED)
    assert (found["one"].high - found["one"].low) / 2 == pytest.approx(
        math.sqrt(10**2 + 20**2 + 22**2), rel=0.02
    )
    assert (found["two"].high - found["two"].low) / 2 == pytest.approx(
        math.sqrt(100**2 + 110**2 + 20**2 + 22**2), rel=0.02
    )
    assert found["one"].mean == pytest.approx(-100, abs=0.2)


@pytest.mark.parametrize(
    ("interval", "low", "high", "mean"),
    [
        # two halves of a normal, each with its own width: the mean moves by (19 - 27) % / (1.96 x sqrt(2 pi))
        (Interval(27, 19), 73, 119, 100 - 8 / (1.959964 * math.sqrt(2 * math.pi))),
        # sigma = ln(3) / 1.96: 100 / 3 to 300 around a median of 100, mean 100 exp(sigma^2 / 2)
        (Interval(70, 200, "lognormal"), 100 / 3, 300, 100 * math.exp((math.log(3) / 1.959964) ** 2 / 2)),
        # a normal that would reach below nothing is cut there
        (Interval(120, 120), 0, 220, None),
    ],
)
def test_a_row_alone_shows_its_own_interval(
    interval: Interval, low: float, high: float, mean: float | None
) -> None:
    found = simulate({"x": [term("R", 100)]}, {"R": interval}, DRAWS, SEED)["x"]
    assert found.low == pytest.approx(low, abs=0.6)
    assert found.high == pytest.approx(high, rel=0.01)
    assert mean is None or found.mean == pytest.approx(mean, rel=0.005)


def test_a_figure_does_not_depend_on_what_else_is_simulated_nor_on_order() -> None:
    terms = [term(row, 100 + i, 3) for i, row in enumerate(["EL", "NG", "GA"])]
    intervals = {row: Interval(5, 7) for row in ("EL", "NG", "GA", "XX")}
    alone = simulate({"a": terms}, intervals, 5000, SEED)["a"]
    shuffled = [terms[2], terms[0], terms[1]]
    among = simulate({"z": [term("XX", 1)], "a": shuffled, "b": terms[:1]}, intervals, 5000, SEED)
    assert among["a"] == alone
    assert simulate({"a": terms}, intervals, 5000, SEED + 1)["a"] != alone


def test_threads_and_order_of_rows_do_not_move_a_digit() -> None:
    program = (
        "import sys; sys.path.insert(0, 'tests/unit')\n"
        "import random; from test_simulation import simulated; from test_uncertainty import many, world\n"
        "rows = many(5, 60); random.Random(int(sys.argv[1])).shuffle(rows)\n"
        "con = simulated(world(rows, threads=int(sys.argv[1])), draws=20000)\n"
        "print(con.execute('from marts.emission_simulation order by all').fetchall())"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", program, threads],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "4")
    ]
    assert said[0] == said[1]
    assert "simulated" in said[0]


def test_what_cannot_be_drawn_is_named_and_null() -> None:
    row = ("a", 2021, "electricity", "EL", "100")
    states = (
        "select distinct simulation_state, figure_simulated_low_tco2 is null from marts.emission_simulation"
    )
    missing = simulated(world([row], [("activity", "reported electricity", "2", "2")]), 1000)
    assert missing.execute(states).fetchall() == [("factor_uncertainty_missing", True)]
    missing = simulated(world([row], [("factor", "EL", "2", "2")]), 1000)
    assert missing.execute(states).fetchall() == [("activity_uncertainty_missing", True)]
    con = world([row])
    con.execute("update core_uncertainty set distribution = 'triangular' where subject_key = 'EL'")
    assert simulated(con, 1000).execute(states).fetchall() == [("distribution_not_simulated", True)]
    wide = [("activity", "reported electricity", "150", "150"), ("factor", "EL", "2", "2")]
    cut = simulated(world([row], wide), 1000)
    assert cut.execute(states).fetchall() == [("low_cut_at_zero", False)]
    assert cut.execute("select min(figure_simulated_low_tco2) from marts.emission_simulation").fetchall() == [
        (0,)
    ]
    assert total(cut, columns="uncertainty_state") == ("low_cut_at_zero",)


def test_the_work_does_not_grow_with_institutions() -> None:
    """Terms are summed before anything is drawn: as many for 300 institutions as for 30."""
    few, lots = (read_terms(n) for n in (30, 300))
    assert few == lots


def read_terms(n: int) -> int:
    con = world(many(random.Random(n).randrange(100), n))
    return sum(len(figure.now) + len(figure.before) for figure in read_figures(con))
