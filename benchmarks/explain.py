"""How long it takes to explain a figure of a province, and what its lineage costs in a release.

Belongs here: one night on the invented province, random figures explained over one open release, whole commands timed from
outside. `TANCANG_BENCHMARK_HOME` names a home whose release is measured instead of running a night.
"""

from __future__ import annotations

import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import nights
from exports.current import current_release
from exports.explain import Explainer
from exports.query import open_sandbox

LINEAGE = ("lineage", "activity", "meter_month", "figure_origin", "region_member")
N_FIGURES = 400
MEANING = """\
Figures of the invented province (51,754 institutions): random institutions, five columns, each asked once over one open
release (`python -m benchmarks explain`); the command five times, whole processes. Lineage is `lineage`, `activity`, `meter_month`,
`figure_origin` and `region_member` in the Parquet of the release."""
_COLUMNS = (
    "emissions_total_tco2",
    "energy_total_equivalent_kgce",
    "water_m3",
    "floor_area_m2",
    "electricity_kwh",
)


def measure() -> list[tuple[str, str, str]]:
    """Rows for docs/performance.md: what, goal, measured."""
    with _province() as home:
        release = current_release(home)
        if release is None:
            raise SystemExit(f"{home} has no release")
        with open_sandbox(release.database) as con:
            explainer = Explainer(con)
            known = con.execute(
                "select institution_id, year::varchar from published.institution_year order by all"
            ).fetchall()
            chance = random.Random(0)
            asked = [
                (f"institution_year.{chance.choice(_COLUMNS)}", chance.choice(known))
                for _ in range(N_FIGURES)
            ]
            one = _taken([lambda name=name, keys=keys: explainer.explain(name, keys) for name, keys in asked])
            regions = con.execute(
                "select region_code, year::varchar from published.region_year where population = 'reported' order by all"
            ).fetchall()
            of_region = _taken(
                [
                    lambda keys=keys: explainer.explain("region_year.emissions_total_tco2", keys)
                    for keys in regions
                ]
            )
        keys = list(asked[0][1])
        command = [
            str(Path(sys.executable).parent / "tancang"), "explain", "institution_year.emissions_total_tco2", *keys,
            "--home", str(home),
        ]  # fmt: skip
        whole = _taken(
            [lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)] * 5,
            resource.RUSAGE_CHILDREN,
        )
        sizes = {
            folder.name: sum(path.stat().st_size for path in folder.rglob("*.parquet"))
            for folder in (release.path / "parquet").iterdir()
        }
    share = sum(sizes[name] for name in LINEAGE) / sum(sizes.values())
    return [
        ("library call, one institution, 95 of 100", "≤ 20 ms", _said(one, _percentile, "ms")),
        ("region with its 20 largest contributors, longest", "≤ 0.2 s", _said(of_region, max, "s")),
        ("`tancang explain`, median of five", "≤ 0.5 s", _said(whole, statistics.median, "s")),
        ("lineage in the Parquet of the release", "≤ 1/3", f"{share:.0%}"),
    ]


def _taken(steps: list[Callable[[], object]], of: int = resource.RUSAGE_SELF) -> list[tuple[float, float]]:
    """(elapsed seconds, seconds of processor time) of each step."""
    found = []
    for step in steps:
        began, before = time.monotonic(), resource.getrusage(of)
        step()
        after = resource.getrusage(of)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        found.append((time.monotonic() - began, cpu))
    return found


def _said(timings: list[tuple[float, float]], pick: Callable[[list[float]], float], unit: str) -> str:
    """Elapsed and, where other work shares the machine the sounder of the two, processor time."""
    scale, places = (1000, 1) if unit == "ms" else (1, 2)
    wall, cpu = (pick([timing[side] for timing in timings]) * scale for side in (0, 1))
    return f"{wall:.{places}f} {unit} ({cpu:.{places}f} {unit} CPU)"


def _percentile(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1]


@contextmanager
def _province() -> Iterator[Path]:
    if kept := os.environ.get("TANCANG_BENCHMARK_HOME"):
        yield Path(kept)
        return
    with tempfile.TemporaryDirectory() as place:
        home, landing = Path(place) / "home", Path(place) / "landing"
        subprocess.run(
            [sys.executable, "-m", "examples.province", str(landing)], cwd=nights.CHECKOUT, check=True
        )
        tancang = str(Path(sys.executable).parent / "tancang")
        profile = "examples/province/profile.yml"
        subprocess.run(
            [tancang, "nightly", "--home", str(home), "--landing", str(landing), "--profile", profile],
            cwd=nights.CHECKOUT, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        yield home
