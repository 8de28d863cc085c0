"""Figures followed to their cells: parts as printed add up to the text of the figure, and the archived file, opened by another
library, holds the text that is shown.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
from nights import CHECKOUT, TANCANG, Night

from exports.explain import Explainer, Explanation, Place, total_of_leaves
from exports.figures import FigureError
from exports.manifest import read_manifest
from exports.query import open_sandbox
from ingestion import archive
from ingestion.contracts.home import Home
from ingestion.contracts.identity import file_id

Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def con(clean: Night) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_sandbox(clean.release / "inventory.duckdb") as opened:
        yield opened


@pytest.fixture(scope="module")
def explainer(con: duckdb.DuckDBPyConnection) -> Explainer:
    return Explainer(con)


def ask(con: duckdb.DuckDBPyConnection, query: str) -> Rows:
    return con.execute(query).fetchall()


def figures_of(
    con: duckdb.DuckDBPyConnection, n_figures: int, *, seed: int = 0
) -> list[tuple[str, tuple[str, ...]]]:
    """Figures of the release, drawn evenly over all sums and ratios that are declared: `table.column` and key."""
    declared = ask(
        con,
        "select table_name, column_name, key_columns from published.figure_origin where origin_kind in ('parts', 'ratio') "
        "order by all",
    )
    drawn = []
    chance = random.Random(seed)
    while len(drawn) < n_figures:
        table, column, keys = chance.choice(declared)
        found = ask(
            con,
            f"select {', '.join(f'{key}::varchar' for key in keys.split(', '))} from published.{table} "
            f"where {column} is not null order by all",
        )
        if found:
            drawn.append((f"{table}.{column}", chance.choice(found)))
    return drawn


def adds_up(found: Explanation) -> bool:
    if found.kind == "method":
        return bool(found.method["en"] and found.method["zh"])
    if found.sides:
        above, below = (float(side.value or "nan") for side in found.sides)
        return all(adds_up(side) for side in found.sides) and repr(
            above / below * (found.times_number or 1)
        ) == (found.value)
    total = total_of_leaves(found)
    return total == found.value or (not found.parts and Decimal(found.value or "nan") == 0)


@lru_cache(maxsize=64)
def rows_of(content: bytes, suffix: str, sheet: str | None) -> list[list[str]]:
    """Every cell of a file as text, by libraries that the loader does not use."""
    if suffix == ".xlsx":
        cells = openpyxl.load_workbook(io.BytesIO(content), data_only=True)[sheet or ""]
        return [["" if value is None else str(value) for value in row] for row in cells.values]
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    if suffix == ".json":
        return [[str(value) for value in scalars(record)] for record in json.loads(text)["documents"]]
    delimiter = max(",\t|;", key=text.split("\n")[0].count)
    return list(csv.reader(io.StringIO(text), delimiter=delimiter))


def scalars(value: object) -> Iterator[object]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from scalars(item)
    else:
        yield value


def holds(night: Night, place: Place) -> bool:
    """Does the cell of the archived file hold the text? A line of a register, or a JSON record, holds it somewhere."""
    sealed = {
        file_id(item.source or "", item.path, item.sha256): item.sha256
        for item in read_manifest(night.release).inputs
    }
    by_path = {item.path: item.sha256 for item in read_manifest(night.release).inputs}
    sha256 = sealed[place.file_id] if place.file_id else by_path[place.path]
    suffix = Path(place.path).suffix.lower()
    assert place.row_number is not None
    row = rows_of(archive.read_sealed(Home(night.home), sha256), suffix, place.sheet)[place.row_number - 1]
    if place.column_number is None or suffix == ".json":
        return any(same_text(text, place.value_text) for text in row)
    return same_text(row[place.column_number - 1], place.value_text)


def same_text(found: str, shown: str | None) -> bool:
    return found.strip() == (shown or "").strip()


def check(
    night: Night, con: duckdb.DuckDBPyConnection, explainer: Explainer, n_figures: int
) -> tuple[int, int]:
    n_leaves = n_cells = 0
    for name, keys in figures_of(con, n_figures):
        found = explainer.explain(name, keys)
        assert adds_up(found), (name, keys, found.value, total_of_leaves(found))
        for leaf in (leaf for part in (found, *found.sides) for leaf in part.leaves()):
            n_leaves += 1
            if leaf.place is not None and leaf.place.value_text is not None:
                n_cells += 1
                assert holds(night, leaf.place), (name, keys, leaf.place)
    return n_leaves, n_cells


def test_fifty_figures_add_up_and_their_cells_hold_the_text(
    clean: Night, con: duckdb.DuckDBPyConnection, explainer: Explainer
) -> None:
    n_leaves, n_cells = check(clean, con, explainer, 50)
    assert n_leaves > 100
    assert n_cells > 50


@pytest.mark.slow
def test_a_thousand_figures_add_up_and_their_cells_hold_the_text(
    clean: Night, con: duckdb.DuckDBPyConnection, explainer: Explainer
) -> None:
    _, n_cells = check(clean, con, explainer, 1000)
    assert n_cells > 1000


def test_every_declared_figure_can_be_explained(
    clean: Night, con: duckdb.DuckDBPyConnection, explainer: Explainer
) -> None:
    """One figure of every declaration that has a value anywhere, methods too; no regional sum names all institutions."""
    n_explained = 0
    for table, column, keys, kind in ask(
        con,
        "select table_name, column_name, key_columns, origin_kind from published.figure_origin order by all",
    ):
        shown = ", ".join(f"{key}::varchar" for key in keys.split(", "))
        found = ask(
            con, f"select {shown} from published.{table} where {column} is not null order by all limit 1"
        )
        if not found:
            continue
        explanation = explainer.explain(f"{table}.{column}", found[0])
        assert explanation.kind == kind
        assert adds_up(explanation), (table, column, explanation)
        n_explained += 1
    assert n_explained > 150


def test_seed_and_inputs_of_a_simulated_bound(
    clean: Night, con: duckdb.DuckDBPyConnection, explainer: Explainer
) -> None:
    keys = ask(
        con,
        "select region_code, year::varchar, population, figure from published.emission_simulation "
        "where figure_simulated_low_tco2 is not null order by all limit 1",
    )[0]
    found = explainer.explain("emission_simulation.figure_simulated_low_tco2", keys)
    assert found.method["name"] == "simulation"
    assert int(found.inputs["seed_number"] or 0) > 0
    assert int(found.inputs["n_draws"] or 0) >= 1000


def test_the_rule_of_parts_sees_one_digit(clean: Night, tmp_path: Path) -> None:
    """The check that ran in the night, on a copy whose one cell counts a ten-thousandth more."""
    (compiled,) = (clean.home / "night" / "dbt" / "compiled").rglob(
        "assert_every_figure_is_the_sum_of_its_parts.sql"
    )
    shutil.copyfile(clean.home / "warehouse.duckdb", tmp_path / "warehouse.duckdb")
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as con:
        sql = compiled.read_text(encoding="utf-8")
        assert con.execute(sql).fetchall() == []
        con.execute(
            "update marts.lineage set counted_amount = counted_amount + 0.0001 where rowid = "
            "(select min(rowid) from marts.lineage where measure = 'amount' and carrier = 'electricity' and form_role = 'return')"
        )
        con.execute(
            "update marts.region_year set floor_area_m2 = floor_area_m2 + 1 where region_code = '310118'"
        )
        found = con.execute(sql).fetchall()
    columns = {(table, column) for table, _, names in found for column in names}
    assert ("activity", "entry_amount") in columns
    assert ("region_year", "floor_area_m2") in columns
    assert columns <= {("activity", "entry_amount"), ("region_year", "floor_area_m2")}


def tancang(home: Path, *arguments: str, language: str = "en") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TANCANG, "explain", *arguments, "--home", str(home)],
        cwd=CHECKOUT, env={**os.environ, "TANCANG_LANG": language}, capture_output=True, text=True,
    )  # fmt: skip


def test_the_command_prints_a_tree_and_json(
    clean: Night, con: duckdb.DuckDBPyConnection, explainer: Explainer
) -> None:
    (institution,) = ask(
        con,
        "select institution_id from published.institution_year where year = 2021 and emissions_total_tco2 > 0 order by 1 limit 1",
    )[0]
    done = tancang(clean.home, "institution_year.emissions_total_tco2", institution, "2021")
    found = explainer.explain("institution_year.emissions_total_tco2", [institution, "2021"])
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].endswith(f"= {found.value}")
    assert f"sum of the parts = {found.value}" in done.stdout
    for leaf in found.leaves():
        assert leaf.place is not None
        assert f"{leaf.contribution} = {leaf.amount}" in done.stdout
        assert f"{leaf.place.path} {leaf.place.cell}: «{leaf.place.value_text}»" in done.stdout
    for factor in found.factors:
        assert f"{factor.factor_id} = {factor.value}" in done.stdout
    as_json = tancang(clean.home, "institution_year.emissions_total_tco2", institution, "2021", "--json")
    assert json.loads(as_json.stdout) == json.loads(json.dumps(dataclasses.asdict(found)))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["institution_year.emissions_total", "x", "2021"], "emissions_total_tco2"),
        (["institutions.emissions_total_tco2", "x", "2021"], "institution_year"),
        (["institution_year.emissions_total_tco2", "x"], "<institution_id> <year>"),
        (["region_year.emissions_total_tco2", "310119", "2021"], "region_code=310118"),
        (["region_year.emissions_total_tco2", "310118", "'; drop table x --"], "year=2021"),
    ],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_figure_that_is_not_there_is_named_with_the_nearest(
    clean: Night, arguments: list[str], said: str, language: str
) -> None:
    done = tancang(clean.home, *arguments, language=language)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_region_names_its_largest_and_sums_the_others(
    clean: Night, con: duckdb.DuckDBPyConnection, explainer: Explainer
) -> None:
    found = explainer.explain("region_year.emissions_total_tco2", ["310118", "2021"], 3)
    sizes = [Decimal(part.contribution) for part in found.parts[:3]]
    assert sizes == sorted(sizes, reverse=True)
    assert len(found.parts) == 4
    assert found.parts[3].n_others == ask(
        con,
        "select count(emissions_total_tco2) - 3 from published.institution_year where year = 2021"
    )[0][0]  # fmt: skip
    assert total_of_leaves(found) == found.value
    whole = explainer.explain("region_year.emissions_total_tco2", ["310118", "2021"], None)
    assert total_of_leaves(whole) == found.value


def test_too_many_keys_are_refused(explainer: Explainer) -> None:
    with pytest.raises(FigureError):
        explainer.explain("region_year.emissions_total_tco2", ["310118", "2021", "reported", "more"])
