"""Draws docs/figure-traced.svg: one published figure followed back to the cells and factor rows it is made of.

Belongs here: the drawing, and reading what it shows from a release and its archive. No number stands in this
file: amounts are read from the sealed bytes, factors from the release, and the script refuses to draw when
amount × factor is not the published figure.

    .venv/bin/python docs/draw_figure_traced.py [HOME]      HOME: a home with a release of the example district
"""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import Any

import duckdb

from exports.current import current_release
from exports.manifest import InputFile, read_manifest
from ingestion import archive
from ingestion.account import Delivery
from ingestion.contracts.home import Home
from ingestion.contracts.identity import cell_name, file_id
from ingestion.contracts.profile import Method
from ingestion.layouts.files import load_layouts, shipped_folders
from ingestion.load import Loaded, Rules, load
from ingestion.reference import SEEDS, load_reference

HERE = Path(__file__).parent
TARGET = HERE / "figure-traced.svg"
YEAR = 2021
ITEMS = {"electricity": "110", "natural_gas": "140"}
ONLY_THESE = "coal_t, gasoline_l, diesel_l, lpg_kg, heat_gj, other_energy_kgce"
_TONNES = {"kgCO2": Decimal("0.001"), "tCO2": Decimal(1)}


@dataclass(frozen=True)
class Branch:
    """One carrier: its published emissions, its amount with the cell it stands in, its factor row."""

    column: str
    name_zh: str
    emissions: Decimal
    amount_column: str
    amount: Decimal
    unit: str
    path: str
    cell: str
    value_text: str
    unit_text: str
    sha256: str
    factor: dict[str, Any]


@dataclass(frozen=True)
class Trace:
    institution_id: str
    institution_name: str
    total: Decimal
    branches: tuple[Branch, ...]


def trace(root: Path) -> Trace:
    """Follow one institution's emissions of 2021. Raises ValueError when the figure cannot be made again."""
    release = current_release(root)
    if release is None:
        raise ValueError(f"{root} has no release: run tancang nightly first")
    with duckdb.connect(str(release.database), read_only=True) as con:
        con.execute("set search_path = 'published'")
        found = _row(
            con,
            f"""select * from institution_year
            where year = {YEAR} and return_kind = 'annual' and electricity_kwh > 0 and natural_gas_m3 > 0
              and coalesce({ONLY_THESE}) is null
            order by institution_id limit 1""",
        )
        factors = {
            "electricity": found["electricity_factor_id"],
            "natural_gas": _fuel_factor("natural_gas"),
        }
        rows = {
            carrier: _row(
                con,
                "select * from factor_used where factor_id = ? and used_in = 'institution_year'",
                [factor_id],
            )
            for carrier, factor_id in factors.items()
        }
    cells = _cells(Home(root), read_manifest(release.path).inputs, str(found["institution_id"]))
    shown = {
        "electricity": ("emissions_electricity_tco2", "购入电力排放", "electricity_kwh"),
        "natural_gas": ("emissions_direct_tco2", "直接排放（天然气）", "natural_gas_m3"),
    }
    branches = tuple(
        Branch(column, name_zh, found[column], amount, found[amount], *cells[carrier], rows[carrier])
        for carrier, (column, name_zh, amount) in shown.items()
    )
    for branch in branches:
        per_unit = branch.factor["factor_value"] * _TONNES[branch.factor["factor_unit"].split("/")[0]]
        if branch.amount * per_unit != branch.emissions:
            raise ValueError(f"{branch.column}: {branch.amount} x {per_unit} is not {branch.emissions}")
    if sum(branch.emissions for branch in branches) != found["emissions_total_tco2"]:
        raise ValueError("the parts are not the total")
    return Trace(found["institution_id"], found["institution_name"], found["emissions_total_tco2"], branches)


def _row(
    con: duckdb.DuckDBPyConnection, query: str, parameters: list[object] | None = None
) -> dict[str, Any]:
    result = con.execute(query, parameters or [])
    names = [column[0] for column in result.description or []]
    row = result.fetchone()
    if row is None:
        raise ValueError(f"the release has no row for: {query}")
    return dict(zip(names, row, strict=True))


def _fuel_factor(carrier: str) -> str:
    with (SEEDS / "factors" / "factors.csv").open(encoding="utf-8", newline="") as handle:
        return next(
            row["factor_id"]
            for row in csv.DictReader(handle)
            if row["factor_set"] == Method().fuel_set and row["carrier"] == carrier
        )


def _cells(
    home: Home, inputs: list[InputFile] | tuple[InputFile, ...], institution_id: str
) -> dict[str, tuple[str, str, str, str, str, str]]:
    """Carrier → (unit, path, cell, text, unit in the file, SHA-256), read again from the sealed bytes."""
    rules = Rules(load_layouts(shipped_folders()), load_reference())
    multipliers = _multipliers()
    for item in inputs:
        if item.source != "direct_report":
            continue
        delivery = Delivery(file_id(item.source, item.path, item.sha256), item.source, item.path)
        loaded: Loaded = load(delivery, archive.read_sealed(home, item.sha256), rules)
        if loaded.layout is None or loaded.layout.target != "values":
            continue
        rows = [
            row
            for row in loaded.rows.iter_rows(named=True)
            if row["institution_id"] == institution_id
            and row["year"] == YEAR
            and row["period_kind"] == "year"
        ]
        by_item = {row["item_code"]: row for row in rows}
        if not set(ITEMS.values()) <= set(by_item):
            continue
        return {
            carrier: (
                multipliers[by_item[code]["unit_text"]],
                item.path,
                cell_name(by_item[code]["row_number"], by_item[code]["column_number"]),
                by_item[code]["value_text"],
                by_item[code]["unit_text"],
                item.sha256,
            )
            for carrier, code in ITEMS.items()
        }
    raise ValueError(f"no sealed file holds the annual return of {institution_id}")


def _multipliers() -> dict[str, str]:
    with (SEEDS / "conversions" / "unit_conversions.csv").open(encoding="utf-8", newline="") as handle:
        return {row["unit_text"]: row["canonical_unit"] for row in csv.DictReader(handle)}


def number(value: Decimal) -> str:
    """All digits, grouped, without trailing zeros."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


# ---------------------------------------------------------------------------------------------- drawing

STYLE = """
  text { font-family: "Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei",
         "Helvetica Neue", Arial, sans-serif; fill: #1f2328; }
  .page { fill: #ffffff; } .box { fill: #f6f8fa; stroke: #d0d7de; } .top { fill: #ddf4ff; stroke: #54aeff; }
  .cellbox { fill: #fff8c5; stroke: #d4a72c; }
  .small { font-size: 12px; } .label { font-size: 12px; fill: #57606a; } .name { font-size: 13px; }
  .big { font-size: 22px; font-weight: 600; } .mid { font-size: 17px; font-weight: 600; }
  .mono { font-family: "DejaVu Sans Mono", Menlo, Consolas, "Noto Sans CJK SC", monospace; }
  .line { stroke: #57606a; stroke-width: 1.5; fill: none; } .head { fill: #57606a; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .label { fill: #9198a1; } .page { fill: #0d1117; }
    .box { fill: #161b22; stroke: #3d444d; } .top { fill: #0c2d4d; stroke: #388bfd; }
    .cellbox { fill: #3a2d0b; stroke: #9e6a03; } .line { stroke: #9198a1; } .head { fill: #9198a1; }
  }
"""
WIDTH = 900
_LANE, _GAP, _EDGE = 420, 20, 20


def _width(text: str, size: float) -> float:
    return sum(size if ord(sign) > 0x2E7F else size * 0.56 for sign in text)


def _wrapped(text: str, size: float, room: float) -> list[str]:
    lines, line = [], ""
    for sign in text:
        if _width(line + sign, size) > room:
            lines.append(line)
            line = ""
        line += sign
    return [*lines, line] if line else lines


def _text(x: float, y: float, words: str, style: str = "small") -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{style}">{escape(words)}</text>'


def _box(x: float, y: float, width: float, height: float, style: str = "box") -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" class="{style}"/>'


def _arrow(x1: float, y1: float, x2: float, y2: float) -> str:
    middle = (y1 + y2) / 2
    tip = f"{x2:g},{y2:g} {x2 - 4:g},{y2 + 7:g} {x2 + 4:g},{y2 + 7:g}"
    path = f"M{x1:g} {y1:g} V{middle:g} H{x2:g} V{y2 + 6:g}"
    return f'<path d="{path}" class="line"/><polygon points="{tip}" class="head"/>'


def _lane(x: float, y: float, branch: Branch) -> tuple[list[str], float]:
    factor = branch.factor
    half = (_LANE - _GAP) / 2
    right = x + half + _GAP
    parts = [
        _box(x, y, _LANE, 64),
        _text(x + 14, y + 24, f"{branch.column}  {branch.name_zh}", "label"),
        _text(x + 14, y + 50, f"{number(branch.emissions)} tCO2", "mid"),
    ]
    low = y + 64 + 34
    parts += [
        _box(x, low, half, 64),
        _text(x + 12, low + 24, branch.amount_column, "label"),
        _text(x + 12, low + 49, f"{number(branch.amount)} {branch.unit}", "mid"),
        _arrow(x + half / 2, low, x + half / 2, y + 64),
        _text(x + half + 6, low + 39, "×", "mid"),
    ]
    lines = [
        ("label", factor["name_zh"]),
        ("mid", f"{number(factor['factor_value'])} {factor['factor_unit']}"),
        ("label mono", factor["factor_id"]),
        *[("small", line) for line in _wrapped(factor["document"], 12, half - 24)],
        *[("small", line) for line in _wrapped(factor["document_no"] or "", 12, half - 24)],
        ("label", f"status: {factor['status']}"),
        ("label", f"evidence: {factor['evidence']}"),
    ]
    height = 24 + 19 * len(lines)
    parts.append(_box(right, low, half, height))
    for at, (style, words) in enumerate(lines):
        # the value is set larger than the lines around it
        parts.append(_text(right + 12, low + 24 + 19 * at + 6 * (at > 0), words, style))
    parts.append(_arrow(right + half / 2, low, right + half / 2, y + 64))
    cell = low + 64 + 34
    parts += [
        _box(x, cell, half, 116, "cellbox"),
        _text(x + 12, cell + 24, branch.path, "small"),
        _text(x + 12, cell + 44, f"cell 单元格 {branch.cell}", "small"),
        _text(x + 12, cell + 72, f"“{branch.value_text}” {branch.unit_text}", "mid mono"),
        _text(x + 12, cell + 98, f"SHA-256 {branch.sha256[:12]}…", "label mono"),
        _arrow(x + half / 2, cell, x + half / 2, low + 64),
    ]
    return parts, max(cell + 116, low + height)


def draw(found: Trace) -> str:
    """The whole picture as SVG text."""
    top, middle = 20, WIDTH / 2
    head = [
        _box(_EDGE, top, WIDTH - 2 * _EDGE, 84, "top"),
        _text(_EDGE + 16, top + 26, f"institution_year.emissions_total_tco2  碳排放总量 · {YEAR}", "name"),
        _text(_EDGE + 16, top + 60, f"{number(found.total)} tCO2", "big"),
        _text(middle + 40, top + 26, found.institution_name, "name"),
        _text(middle + 40, top + 50, found.institution_id, "label mono"),
    ]
    lane_y = top + 84 + 34
    body, low = [], 0.0
    for at, branch in enumerate(found.branches):
        x = _EDGE + at * (_LANE + _GAP)
        parts, end = _lane(x, lane_y, branch)
        body += [*parts, _arrow(x + _LANE / 2, lane_y, x + _LANE / 2, top + 84)]
        low = max(low, end)
    height = low + 20
    title = "One published figure traced to its cells and factor rows / 一个发布数字的来源"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" '
            f'height="{height:g}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style>",
            f'<rect width="{WIDTH}" height="{height:g}" rx="8" class="page"/>',
            *head,
            *body,
            "</svg>",
            "",
        ]
    )


def main() -> None:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".tancang").absolute()
    TARGET.write_text(draw(trace(root)), encoding="utf-8")
    print(TARGET.name)


if __name__ == "__main__":
    main()
