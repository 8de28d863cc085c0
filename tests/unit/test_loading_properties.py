"""The same return told differently: order of files, lines and columns, other units, other words, one file or two."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ingestion.account import Delivery
from ingestion.layouts.files import load_layouts, shipped_folders
from ingestion.load import Rules, load
from ingestion.reference import SEEDS, load_reference

RULES = Rules(load_layouts(shipped_folders()), load_reference())
HEADS = {
    "zh": ["机构代码", "单位名称", "报告期", "状态", "版次"],
    "en": ["respondent_id", "respondent_name", "period_id", "task_state", "release"],
}
ITEMS = ["101", "102", "110", "111", "120", "140", "150", "170"]
UNITS = {
    "101": {"m2": 0, "万m2": 4},
    "102": {"人": 0},
    "110": {"kWh": 0, "万kWh": 4, "MWh": 3, "度": 0},
    "111": {"元": 0, "万元": 4},
    "120": {"m3": 0, "万m3": 4},
    "140": {"m3": 0, "万m3": 4},
    "150": {"L": 0},
    "170": {"GJ": 0},
}
Fact = tuple[str, int, str, Decimal]
PHASES = [
    Phase.explicit,
    Phase.reuse,
    Phase.generate,
]  # a failing case is small as it is: shrinking takes minutes


@dataclass(frozen=True)
class Told:
    """One way of telling the returns: everything here is free and must not matter."""

    language: str
    columns: list[str]
    units: dict[str, str]
    lines: list[int]
    cut: int


def worth() -> dict[str, Decimal]:
    with (SEEDS / "conversions/unit_conversions.csv").open(encoding="utf-8", newline="") as handle:
        return {row["unit_text"]: Decimal(row["multiplier"]) for row in csv.DictReader(handle)}


WORTH = worth()
number = st.decimals(min_value=0, max_value=10**8, places=2, allow_nan=False, allow_infinity=False)
returns = st.lists(st.dictionaries(st.sampled_from(ITEMS), number, min_size=1), min_size=1, max_size=6)


@st.composite
def ways(draw: st.DrawFn, n_returns: int) -> Told:
    language = draw(st.sampled_from(sorted(HEADS)))
    return Told(
        language,
        draw(st.permutations([*HEADS[language], *(f"f{item}" for item in ITEMS)])),
        {item: draw(st.sampled_from(sorted(UNITS[item]))) for item in ITEMS},
        draw(st.permutations(range(n_returns))),
        draw(st.integers(0, n_returns)),
    )


def written(facts: list[dict[str, Decimal]], told: Told) -> list[str]:
    """The returns as one or two CSV files, told in this way."""
    texts = []
    for lines in (told.lines[: told.cut], told.lines[told.cut :]):
        if not lines:
            continue
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(told.columns)
        writer.writerow([told.units.get(name.removeprefix("f"), "") for name in told.columns])
        for line in lines:
            key = [f"1131011800000{line:04d}X", f"单位{line}", "2021000", "7", "1"]
            said = dict(zip(HEADS[told.language], key, strict=True))
            for item, amount in facts[line].items():
                said[f"f{item}"] = format(amount.scaleb(-UNITS[item][told.units[item]]), "f")
            writer.writerow([said.get(name, "") for name in told.columns])
        texts.append(out.getvalue())
    return texts


def loaded(texts: list[str]) -> Counter[Fact]:
    found: Counter[Fact] = Counter()
    for position, text in enumerate(texts):
        file = load(Delivery(f"f{position}", "direct_report", f"{position}.csv"), text.encode(), RULES)
        assert file.refusal is None, file.refusal
        assert file.quarantine.height == 0
        for unit, n in file.counts.items():
            assert n["n_read"] == n["n_loaded"] + n["n_ignored"], unit
        for row in file.rows.iter_rows(named=True):
            amount = Decimal(row["number_text"]) * WORTH[row["unit_text"]]
            found[row["institution_id"], row["year"], row["item_code"], amount.normalize()] += 1
    return found


@settings(max_examples=40, deadline=None, phases=PHASES)
@given(st.data(), returns)
def test_how_a_return_is_told_does_not_matter(data: st.DataObject, facts: list[dict[str, Decimal]]) -> None:
    told = data.draw(ways(len(facts)))
    wanted = Counter(
        (f"1131011800000{line:04d}X", 2021, item, amount.normalize())
        for line, items in enumerate(facts)
        for item, amount in items.items()
    )
    texts = written(facts, told)
    assert loaded(texts) == wanted
    assert loaded(texts[::-1]) == wanted
