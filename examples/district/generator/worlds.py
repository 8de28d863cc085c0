"""Puts the worlds together, holds the calibration against the printed figures, and writes everything.

Belongs here: the order of things. Does not belong here: any value.
"""

from __future__ import annotations

from pathlib import Path

from examples.district.generator import (
    audits,
    beside,
    blocking,
    buildings,
    calibration,
    defective,
    direct_report,
    institutions,
    inventory,
    metering,
    parts,
    registers,
    summaries,
    truth,
)
from examples.district.generator.files import Grid, Landing, Text, write
from examples.district.generator.flagged_parts import plant_parts
from examples.district.generator.planting import World
from examples.district.generator.register_changes import plant_register_changes


def write_all(out: Path) -> None:
    """Write `clean`, `defective`, `blocking` and `truth` below `out`; nothing there is deleted."""
    for path, content in build().items():
        write({path: content}, out)


def build() -> Landing:
    """Every file of the example by its path."""
    drawn = institutions.draw()
    parted = parts.draw(drawn)
    supplied = beside.draw(drawn)
    metered = buildings.draw(drawn)
    readings, sums = metering.files(metered)
    clean: Landing = {
        **registers.files(drawn, metered),
        **direct_report.files(drawn),
        **parts.files(parted),
        **beside.files(supplied),
        **readings,
        **audits.files(drawn),
        **inventory.files(),
    }
    bad = World.of("defective", drawn, clean)
    defective.plant(bad, metered, sums)
    plant_parts(bad, parted)
    plant_register_changes(bad, metered)
    worst = World.of("blocking", drawn, clean)
    blocking.plant(worst)
    told = truth.files(drawn, metered, sums, bad.defects + worst.defects)
    _check_printed(told["truth/headline.csv"])
    written: Landing = {
        f"{name}/landing/{path}": content
        for name, landing in (
            ("clean", clean | summaries.files(parted)),
            ("defective", bad.landing),
            ("blocking", worst.landing),
        )
        for path, content in landing.items()
    }
    written["defective/corrections.yml"] = Text(
        _entries("Corrections", "the file still says what `expect` says", bad.corrections)
    )
    written["defective/precedence.yml"] = Text(
        _entries("Overrides of the precedence", "its source still says what `expect` says", bad.overrides)
    )
    return (
        written
        | told
        | parts.truth(parted)
        | summaries.truth(parted)
        | beside.truth(supplied)
        | inventory.truth()
    )


def _check_printed(headline: object) -> None:
    """Raises AssertionError when the scaled district would not print the figures of the report."""
    assert isinstance(headline, Grid)
    found = {row[0]: row[2] for row in headline.lines if row[1] == "2021"}
    for figure, unit, printed in (
        ("energy_per_area_primary", "kgce_m2", calibration.PER_AREA),
        ("energy_per_capita_primary", "kgce_person", calibration.PER_CAPITA),
        ("water_per_capita", "m3_person", calibration.WATER_PER_CAPITA),
    ):
        assert found[f"{figure}_{unit}"] == str(printed[0]), figure
        assert found[f"{figure}_change_pct"] == str(printed[1]), figure


def _entries(title: str, guard: str, items: list[dict[str, str | int | None]]) -> str:
    lines = [f"# {title} of the defective world: each applies only while {guard}"]
    for item in items:
        mark = "-"
        for key, value in item.items():
            text = "null" if value is None else str(value) if isinstance(value, int) else f'"{value}"'
            lines.append(f"{mark} {key}: {text}")
            mark = " "
    return "\n".join(lines) + "\n"
