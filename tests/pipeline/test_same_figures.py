"""The same world told differently gives the same published figures: files split and renamed, lines and columns in
another order, units expressed otherwise, headers in the other language, one return fetched page by page.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import yaml
from nights import Night, district_home, run_night
from servers import Endpoint, endpoint, paged

from ingestion.layouts.files import load_layouts, shipped_folders

TOKEN = "tok-5a4b3c2d1e0f"
TABLES = ("institution_year", "building_year", "region_year", "factor_used")


def words(layout_id: str) -> dict[str, str]:
    """Every column's other word, as the shipped layout knows it, in both directions."""
    spec = next(item for item in load_layouts(shipped_folders()) if item.id == layout_id).tables[0]
    pairs = {name: others[0] for name, others in spec.headers.items()}
    return pairs | {other: name for name, other in pairs.items()}


def table(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.reader(handle))


def put(path: Path, rows: list[list[str]], encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as handle:
        csv.writer(handle, delimiter="\t" if path.suffix == ".tsv" else ",").writerows(
            [row[::-1] for row in rows]
        )


def retell_returns(folder: Path) -> None:
    """The returns of 2021 in two files, one in GB18030 and tabs, amounts of electricity in kWh, other headers."""
    path = folder / "NY201_2021_f.csv"
    head, units, *lines = table(path)
    path.unlink()
    at = head.index("f110")
    assert units[at] == "万kWh"
    for line in lines:
        line[at] = format(Decimal(line[at]).scaleb(4), "f") if line[at] else ""
    units[at] = "kWh"
    other = words("direct_report.ny201_2020_f")
    head = [other.get(name, name) for name in head]
    put(folder / "z_second.csv", [head, units, *lines[::2]])
    put(folder / "a" / "first.tsv", [head, units, *reversed(lines[1::2])], "gb18030")


def retell_readings(folder: Path) -> None:
    path = folder / "daily_2021.csv"
    head, *lines = table(path)
    path.unlink()
    value, unit = head.index("value"), head.index("unit")
    for line in lines[::3]:
        line[value], line[unit] = format(Decimal(line[value]).scaleb(3), "f"), "Wh"
    other = words("metering.intervals_csv")
    put(folder / "每日.csv", [[other[name] for name in head], *sorted(lines, key=lambda line: line[::-1])])


def retell_register(path: Path, layout_id: str) -> None:
    head, *lines = table(path)
    other = words(layout_id)
    put(path, [[other[name] for name in head], *reversed(lines)])


def retell_over_an_endpoint(home: Path, server: Endpoint) -> None:
    """What lay in landing as one document is offered by a platform instead, a few returns a page, for a token."""
    path = home / "landing" / "direct_report" / "NY201_2021_rowdata.json"
    document = json.loads(path.read_bytes())
    path.unlink()
    server.reply = paged(document.pop("documents"), 10, **document)
    feed = {
        "id": "platform", "source": "direct_report", "kind": "rest", "address": server.address, "records": "documents",
        "token": {"env": "PLATFORM_TOKEN"}, "paging": {"kind": "page", "parameter": "page", "total": "total"},
    }  # fmt: skip
    (home / "feeds.yml").write_text(yaml.safe_dump([feed]), encoding="utf-8")


@pytest.fixture(scope="module")
def platform() -> Iterator[Endpoint]:
    with endpoint() as server:
        yield server


@pytest.fixture(scope="module")
def retold(tmp_path_factory: pytest.TempPathFactory, platform: Endpoint) -> Night:
    home = district_home(tmp_path_factory.mktemp("retold"), "clean")
    landing = home / "landing"
    retell_returns(landing / "direct_report")
    retell_readings(landing / "metering")
    for name in ("institutions", "buildings"):
        retell_register(landing / "registers" / f"{name}.csv", f"registers.{name}")
    retell_over_an_endpoint(home, platform)
    return run_night(home, PLATFORM_TOKEN=TOKEN, NO_PROXY="127.0.0.1")


def test_the_retold_world_is_published(retold: Night) -> None:
    assert retold.code == 0, retold.said[-3000:]
    assert retold.facts["fail"] == 0


def test_the_fetched_return_is_sealed_like_any_file_and_the_token_is_nowhere(
    retold: Night, platform: Endpoint
) -> None:
    fetched = retold.warehouse("select path, outcome from raw.files where path like 'platform/%'")
    assert fetched == [("platform/all.json", "loaded")]
    assert len(platform.asked) > 2
    assert {asked.headers["Authorization"] for asked in platform.asked} == {f"Bearer {TOKEN}"}
    holding = [
        path for path in retold.home.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()
    ]
    assert holding == []
    assert TOKEN not in retold.said


@pytest.mark.parametrize("name", TABLES)
def test_how_the_world_is_told_moves_no_figure(clean: Night, retold: Night, name: str) -> None:
    with duckdb.connect() as con:
        for alias, night in (("a", clean), ("b", retold)):
            con.execute(f"attach '{night.release / 'inventory.duckdb'}' as {alias} (read_only)")
        rows = f"select * from {{}}.published.{name}"
        n_rows = con.execute(f"select count(*) from ({rows.format('a')})").fetchall()[0][0]
        both = con.execute(
            f"select count(*) from ({rows.format('a')} intersect all {rows.format('b')})"
        ).fetchall()[0][0]
        n_there = con.execute(f"select count(*) from ({rows.format('b')})").fetchall()[0][0]
    assert n_rows == both == n_there > 0
