"""Damaged files: whatever happens to the bytes, nothing crashes, and what loads is accounted to the last cell."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

import pytest

from ingestion.account import Delivery
from ingestion.contracts.numbers import plain_number
from ingestion.load import Loaded, Rules, load

LANDING = Path(__file__).parents[2] / "examples/district/clean/landing"
FILES = [
    "registers/buildings.csv",
    "direct_report/NY201_2021_f.csv",
    "direct_report/NY101_2021.csv",
    "direct_report/NY201_2021_rowdata.json",
    "metering/310118_20211201_Energy.xml",
    "metering/registers_2021.csv",
]
WORKBOOK = LANDING / "energy_audit/11310118YY10266419_能源审计_2021.xlsx"
N_PER_FILE = 40


def damaged(data: bytes, seed: int) -> bytes:
    """One to three random injuries: flipped, cut, doubled, moved, inserted bytes; lines swapped; file cut off."""
    dice = random.Random(seed)
    found = bytearray(data)
    for _ in range(dice.randint(1, 3)):
        if not found:
            break
        at, n = dice.randrange(len(found)), dice.choice([1, 1, 2, 7, 60, 900])
        kind = dice.randrange(8)
        if kind == 0:
            found[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            del found[at : at + n]
        elif kind == 2:
            found[at:at] = found[at : at + n]
        elif kind == 3:
            found[at:at] = bytes(dice.randrange(256) for _ in range(n))
        elif kind == 4:
            found[at:at] = dice.choice(
                [b",", b'"', b"\n", b"\r", b"\r\n", b"\0", b"\xef\xbb\xbf", b"</", b"{", b";"]
            )
        elif kind == 5:
            del found[at:]
        elif kind == 6:
            lines = bytes(found).split(b"\n")
            dice.shuffle(lines)
            found = bytearray(b"\n".join(lines))
        else:
            found[at : at + 1] = dice.choice(["，".encode(), "１".encode(), b"1e9", b"=1+1", b"-"])
    return bytes(found)


def texts_at_places(data: bytes, suffix: str) -> dict[tuple[int, int], str]:
    """Every cell of a file by line and column, read by nothing of ours: what a loaded value must be held against."""
    if suffix == ".csv":
        try:
            text = data.decode("utf-8-sig").replace("\0", "")
        except UnicodeDecodeError:
            return {}
        grid: list[list[object]] = [list(row) for row in csv.reader(io.StringIO(text, newline=""))]
        return {
            (row, column): str(cell).strip()
            for row, cells in enumerate(grid, 1)
            for column, cell in enumerate(cells, 1)
        }
    return {}


def check(rules: Rules, path: Path, data: bytes) -> str:
    source = path.parent.name
    found = load(Delivery("f", source, path.name), data, rules)
    if found.refusal is not None:
        assert found.rows.height == 0
        assert found.refusal.reason.zh
        assert found.refusal.mend.en
        return "refused"
    assert found.counts
    for unit, n in found.counts.items():
        assert n["n_read"] == n["n_loaded"] + n["n_quarantined"] + n["n_ignored"], (unit, n)
    stands_in_the_file(found, data, path.suffix)
    return "loaded"


def stands_in_the_file(found: Loaded, data: bytes, suffix: str) -> None:
    """No value that a figure could use comes from anywhere but its own place in these bytes."""
    if "column_number" not in found.rows.columns:
        return
    line = "line" if "line" in found.rows.columns else "row_number"
    text = "value_text" if "value_text" in found.rows.columns else "number_text"
    if suffix in (".json", ".xml"):
        assert all(value.encode() in data for value in found.rows[text].unique())
    there = texts_at_places(data, suffix)
    if not there:
        return
    for row, column, value in found.rows.select(line, "column_number", text).iter_rows():
        said = there.get((row, column), "")
        assert value in (said, plain_number(said)), (row, column, value, said)


@pytest.mark.parametrize("name", FILES)
def test_damage_is_survived_and_accounted(rules: Rules, name: str) -> None:
    path = LANDING / name
    data = path.read_bytes()
    outcomes = [check(rules, path, damaged(data, seed)) for seed in range(N_PER_FILE)]
    assert "refused" in outcomes or "loaded" in outcomes


def test_damaged_workbooks(rules: Rules) -> None:
    data = WORKBOOK.read_bytes()
    for seed in range(N_PER_FILE):
        check(rules, WORKBOOK, damaged(data, seed))


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_damage_at_length(rules: Rules, name: str) -> None:
    path = LANDING / name
    data = path.read_bytes()
    for seed in range(N_PER_FILE, 1000):
        check(rules, path, damaged(data, seed))
