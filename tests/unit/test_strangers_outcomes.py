"""Every file of strangers that lies in the checkout has its outcome in a table of a test."""

from __future__ import annotations

from pathlib import Path

from test_strangers_annual import LAYOUT_OF
from test_strangers_meters import LOADED, REFUSED
from test_strangers_samples import CASES

DATA = Path("tests/data")
LANDING = Path("examples/strangers/landing")
# what a night reads, with its totals: tests/pipeline/test_strangers.py
N_UNIVERSITY = 61


def test_each_file_has_its_outcome(checkout: Path) -> None:
    expected = {path for _, path in LAYOUT_OF}
    expected |= {DATA / "meter_exports" / name for name in (*LOADED, *REFUSED)}
    expected |= {DATA / "load_samples" / name for name, *_ in CASES}
    expected |= {DATA / "green_button" / name for name in ("five_days.xml", "large_values.xml")}
    folders = {DATA / path.parts[2] for path in expected if path.is_relative_to(DATA)} | {LANDING}
    there = {
        path.relative_to(checkout)
        for folder in folders
        for path in (checkout / folder).rglob("*")
        if path.is_file() and not path.name.startswith(("README", "LICENSE"))
    }
    university = {path for path in there if "university-meters" in path.parts}
    assert there - university == expected
    assert len(university) == N_UNIVERSITY
