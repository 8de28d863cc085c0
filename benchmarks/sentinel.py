"""Plants slips of scale in the clean example district and counts what the sentinel proposes, and what it must not.

Belongs here: planting, scoring, the table of docs/sentinel.md. Run it with `python -m benchmarks.sentinel`.

A slip counts as findable when the value has a cost (for a cost: its amount) above zero in the same return and at least
five institutions have a price of the carrier in the year, or when it has a neighbour: another value above zero of the
same item and institution in another period. That is computed from the clean world, never from what was found.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb

from benchmarks import scratch
from ingestion.layouts.files import load_layouts, shipped_folders
from ingestion.load import Rules
from ingestion.reference import load_reference

CHECKOUT = Path(__file__).parent.parent
PAGE = CHECKOUT / "docs" / "sentinel.md"
SLIPS = {
    "× 10,000 (kWh in a 万kWh column, yuan in a 万元 column)": Decimal(10000),
    "÷ 10,000 (万kWh in a kWh column, 万元 in a yuan column)": Decimal("0.0001"),
    "× 1,000 (MJ for GJ, kg for t, kgce for tce)": Decimal(1000),
    "÷ 1,000 (GJ for MJ, t for kg, MWh for kWh)": Decimal("0.001"),
}
WORLDS = {
    "two years, with costs": "",
    "one year, with costs": "delete from raw.direct_report__values where year = 2020",
    "two years, without any cost": """delete from raw.direct_report__values where item_code in
        (select item_code from seeds.direct_report_items where measure = 'cost')""",
}
MIN_PRICES = 5
LEAST = Decimal("0.01")
"""A slipped value below this is not planted: the table's four decimals would round the slip itself away."""
_KEY = "institution_id, item_code, year, period_kind, period_index"
Key = tuple[str, str, int, str, int]


@dataclass
class Score:
    """What was planted and what was proposed, over some rounds."""

    n_planted: int = 0
    n_findable: int = 0
    n_proposed: int = 0
    n_right: int = 0
    n_false: int = 0
    n_clean: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    @property
    def recall(self) -> float:
        """Proposed of the findable."""
        return self.n_proposed / self.n_findable

    @property
    def precision(self) -> float:
        return self.n_proposed / (self.n_proposed + self.n_false)

    @property
    def false_share(self) -> float:
        """False proposals over all cells that are as they were."""
        return self.n_false / self.n_clean


class District:
    """The clean district with one change of what it reports, and room to plant in."""

    def __init__(self, folder: Path, change: str) -> None:
        rules = Rules(load_layouts([*shipped_folders(), CHECKOUT / "examples" / "layouts"]), load_reference())
        landing = CHECKOUT / "examples" / "district" / "clean" / "landing"
        landed = [
            item for item in scratch.files_below(landing) if item.source in ("direct_report", "energy_audit")
        ]
        self.con: duckdb.DuckDBPyConnection = scratch.warehouse(landed, rules, folder)
        scratch.changeable(self.con, "direct_report__values")
        if change:
            self.con.execute(change)
        self.con.execute("create table raw.as_landed as select * from raw.direct_report__values")
        self.look()
        rows = self.con.execute(
            f"select {_KEY}, carrier, measure, amount, base_carrier from core.core_amount_cell where source = 'direct_report' order by all"
        ).fetchall()
        self.amounts: dict[Key, Decimal] = {row[:5]: row[7] for row in rows}
        self.findable = _findable(rows)

    def look(self) -> dict[Key, Decimal]:
        """Build the sentinel's models and return what they propose: cell → what the amount is multiplied by."""
        scratch.build(self.con, scratch.RETURNS)
        scratch.build(self.con, scratch.SCALE)
        return {
            row[:5]: Decimal(str(row[5]))
            for row in self.con.execute(
                f"select {_KEY}, proposed_amount / amount::double from core.core_scale_proposal where source = 'direct_report'"
            ).fetchall()
        }

    def plant(self, slips: dict[Key, Decimal]) -> None:
        """Multiply the written numbers of some approved cells; everything else is as it landed."""
        self.con.execute("create or replace table raw.direct_report__values as from raw.as_landed")
        self.con.execute(
            "create or replace temp table slips (i varchar, c varchar, y integer, k varchar, x integer, f decimal(18,4))"
        )
        self.con.executemany(
            "insert into slips values (?, ?, ?, ?, ?, ?)", [[*key, f] for key, f in slips.items()]
        )
        self.con.execute(
            """update raw.direct_report__values as cells
            set number_text = (cells.number_text::decimal(20,6) * slips.f)::varchar, value_text = 'planted'
            from slips where cells.institution_id = slips.i and cells.item_code = slips.c and cells.year = slips.y
                and cells.period_kind = slips.k and cells.period_index = slips.x and cells.task_state = '7'"""
        )

    def round(self, seed: int, factors: list[Decimal]) -> Score:
        """One slip in every institution, at a cell and by a factor drawn with the seed."""
        dice = random.Random(seed)
        drawn = list(self.amounts)
        dice.shuffle(drawn)
        slips: dict[Key, Decimal] = {}
        hit: set[str] = set()
        for key in drawn:
            factor = dice.choice(factors)
            if key[0] not in hit and self.amounts[key] * factor >= LEAST and len(slips) < 150:
                slips[key] = factor
                hit.add(key[0])
        self.plant(slips)
        return self.score(slips, self.look())

    def score(self, slips: dict[Key, Decimal], proposed: dict[Key, Decimal]) -> Score:
        findable = slips.keys() & self.findable
        return Score(
            n_planted=len(slips),
            n_findable=len(findable),
            n_proposed=len(findable & proposed.keys()),
            n_right=sum(
                abs(proposed[key] * slips[key] - 1) < Decimal("0.01") for key in findable & proposed.keys()
            ),
            n_false=len(proposed.keys() - slips.keys()),
            n_clean=len(self.amounts) - len(slips),
        )


def _findable(rows: list[tuple[object, ...]]) -> set[Key]:
    """Cells with a price that something can be held against, or with a neighbour."""
    returns: dict[tuple[object, ...], int] = Counter((row[0], row[5], *row[2:5]) for row in rows)
    series = Counter(row[:2] for row in rows)
    prices: dict[tuple[object, object], set[object]] = {}
    for row in rows:
        if returns[(row[0], row[5], *row[2:5])] > 1:
            prices.setdefault((row[8], row[2]), set()).add(row[0])
    return {
        (str(row[0]), str(row[1]), int(str(row[2])), str(row[3]), int(str(row[4])))
        for row in rows
        if series[row[:2]] > 1
        or (returns[(row[0], row[5], *row[2:5])] > 1 and len(prices[(row[8], row[2])]) >= MIN_PRICES)
    }


def main(n_rounds: int = 4) -> None:
    import tempfile

    lines = [
        "| world | slip | planted | findable | proposed | right mend | false | recall | precision | false of clean cells |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for world, change in WORLDS.items():
        with tempfile.TemporaryDirectory() as folder:
            district = District(Path(folder), change)
        n_false = len(district.look())
        lines.append(
            f"| {world} | none: {len(district.amounts):,} clean cells | 0 | 0 | 0 | 0 | {n_false} | – | – | {n_false / len(district.amounts):.2%} |"
        )
        for slip, factor in SLIPS.items():
            found = sum((district.round(seed, [factor]) for seed in range(n_rounds)), Score())
            lines.append(
                f"| {world} | {slip} | {found.n_planted} | {found.n_findable} | {found.n_proposed} | {found.n_right} "
                f"| {found.n_false} | {found.recall:.2%} | {found.precision:.2%} | {found.false_share:.4%} |"
            )
            print(lines[-1], flush=True)
    page = PAGE.read_text(encoding="utf-8")
    table = "\n".join(lines)
    PAGE.write_text(
        re.sub(
            r"(<!-- measured[^\n]*-->\n).*?(<!-- end of measured -->)",
            lambda found: f"{found.group(1)}\n{table}\n\n{found.group(2)}",
            page,
            flags=re.S,
        ),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
