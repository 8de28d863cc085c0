"""The invented province: its files add up to the printed totals, by own arithmetic from the bytes."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from examples.district.generator.identity import credit_check
from examples.province.__main__ import write

KGCE = {
    "f110": Decimal("0.1229"),
    "f140": Decimal("1.33"),
    "f150": Decimal("1.4714") * Decimal("0.73"),
    "f160": Decimal("1.4571") * Decimal("0.86"),
    "f180": Decimal(1000),
}


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("province")
    write(folder)
    return folder


@pytest.fixture(scope="module")
def returns(landing: Path) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for path in sorted((landing / "direct_report").glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as handle:
            rows += [row for row in csv.DictReader(handle) if row["机构代码"] != "单位"]
    return rows


def _sum(rows: list[dict[str, str]], column: str) -> Decimal:
    return sum((Decimal(row[column]) for row in rows if row[column]), Decimal(0))


def _printed(value: Decimal) -> str:
    return str(value.quantize(Decimal("0.01"), ROUND_HALF_UP))


def test_the_totals_print_what_the_province_printed(returns: list[dict[str, str]]) -> None:
    energy = {column: _sum(returns, column) * factor for column, factor in KGCE.items()}
    total = sum(energy.values(), Decimal(0))
    vehicles = _sum(returns, "f1501") * KGCE["f150"] + _sum(returns, "f1601") * KGCE["f160"]
    persons, area = _sum(returns, "f102"), _sum(returns, "f101")
    assert (persons, area, _sum(returns, "f120")) == (17_153_000, 243_630_000, 483_900_000)
    assert _printed(total / 10**7) == "161.72"
    assert _printed((total - vehicles) / 10**7) == "134.24"
    assert _printed((total - vehicles) / area) == "5.51"
    assert _printed(total / persons) == "94.28"
    assert _printed(_sum(returns, "f120") / persons) == "28.21"
    shares = [_printed(100 * part / total) for part in energy.values()]
    assert shares == ["60.24", "20.10", "15.06", "1.93", "2.67"]


def test_the_institutions_are_as_many_and_each_is_in_the_register(
    landing: Path, returns: list[dict[str, str]]
) -> None:
    with (landing / "registers" / "institutions.csv").open(encoding="utf-8-sig", newline="") as handle:
        register = list(csv.DictReader(handle))
    codes = [row["机构代码"] for row in returns]
    assert len(codes) == len(set(codes)) == 51_754
    assert Counter(codes) == Counter(row["统一社会信用代码"] for row in register)
    assert all(code[17] == credit_check(code[:17]) for code in codes[::97])
    assert {row["行政区划代码"] for row in register} == {code[2:8] for code in codes}


def test_what_an_institution_does_not_use_is_empty_and_never_zero(returns: list[dict[str, str]]) -> None:
    cells = [row[column] for row in returns for column in KGCE]
    assert 0.3 < cells.count("") / len(cells) < 0.7
    assert not [cell for cell in cells if cell and Decimal(cell) == 0]


def test_every_machine_writes_the_same_bytes(landing: Path) -> None:
    seal = hashlib.sha256()
    for path in sorted(landing.rglob("*.csv")):
        seal.update(path.name.encode() + path.read_bytes())
    assert seal.hexdigest() == "249b244258ce2f37bc57ed437162a99b2baf8f7978db3844212baa0cb9b55269"
