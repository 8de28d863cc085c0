"""The example district: same bytes again, totals that print the report's figures, defects where truth says.

Everything here is computed from the committed files with own arithmetic; the generator is only run to
compare bytes.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import Counter, defaultdict
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from openpyxl import load_workbook

from examples.district.generator.worlds import write_all

DISTRICT = Path(__file__).parent.parent.parent / "examples" / "district"
WORLDS = ("clean", "defective", "blocking")

KGCE = {
    "electricity_kwh": "0.3055",
    "natural_gas_m3": "1.33",
    "coal_t": "714.3",
    "lpg_kg": "1.7143",
    "heat_gj": "34.12",
    "other_energy_kgce": "1",
    "gasoline_l": "1.074122",
    "diesel_l": "1.253106",
    "gasoline_vehicle_l": "1.074122",
    "diesel_vehicle_l": "1.253106",
}
TOTAL = [name for name in KGCE if "vehicle" not in name]
ITEM = {
    "floor_area_m2": "101",
    "energy_users_persons": "102",
    "electricity_kwh": "110",
    "natural_gas_m3": "140",
    "coal_t": "130",
    "gasoline_l": "150",
    "gasoline_vehicle_l": "1501",
    "diesel_l": "160",
    "diesel_vehicle_l": "1601",
    "lpg_kg": "104",
    "heat_gj": "170",
    "other_energy_kgce": "180",
    "water_m3": "120",
    "electricity_cost_cny": "111",
    "natural_gas_cost_cny": "141",
    "water_cost_cny": "121",
    "gasoline_cost_cny": "151",
    "diesel_cost_cny": "161",
    "heat_cost_cny": "171",
}
SIZES = {"万kWh": 10000, "万m3": 10000}


def rows(path: Path, encoding: str = "utf-8-sig") -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_bytes().decode(encoding))))


def dicts(path: Path, encoding: str = "utf-8-sig") -> list[dict[str, str]]:
    head, *body = rows(path, encoding)
    return [dict(zip(head, row, strict=True)) for row in body]


def encoding_of(path: str) -> str:
    return (
        "gb18030"
        if "NY101" in path or "NY202" in path or "_p.csv" in path or "metering/registers" in path
        else "utf-8-sig"
    )


def truth(name: str) -> list[dict[str, str]]:
    return dicts(DISTRICT / "truth" / f"{name}.csv", "utf-8")


def written(folder: Path) -> dict[str, bytes]:
    parts = [*WORLDS, "truth"]
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for part in parts
        for path in sorted((folder / part).rglob("*"))
        if path.is_file()
    }


def test_writing_it_again_gives_the_same_bytes(tmp_path: Path) -> None:
    write_all(tmp_path)
    again, committed = written(tmp_path), written(DISTRICT)
    assert sorted(again) == sorted(committed)
    assert [path for path in again if again[path] != committed[path]] == []


def test_the_folder_stays_small() -> None:
    assert sum(len(data) for data in written(DISTRICT).values()) <= 8_000_000


def test_totals_print_the_figures_of_the_report() -> None:
    """11.56, 135.10, 14.49 and the three changes, from the truth file and unrounded totals."""
    sums: dict[str, dict[str, Decimal]] = {"2020": defaultdict(Decimal), "2021": defaultdict(Decimal)}
    for row in truth("institution_year"):
        for name in ITEM:
            sums[row["year"]][name] += Decimal(row[name] or 0)
        for name in ("gasoline_vehicle_l", "diesel_vehicle_l"):
            sums[row["year"]]["vehicles"] += Decimal(row[name] or 0) * Decimal(KGCE[name])
    figures = {}
    for year, of_year in sums.items():
        total = sum(of_year[name] * Decimal(KGCE[name]) for name in TOTAL)
        assert of_year["floor_area_m2"] == 2103600
        assert Decimal("0.89") < (total - of_year["vehicles"]) / total < Decimal("0.91")
        figures[year] = (
            (total - of_year["vehicles"]) / of_year["floor_area_m2"],
            total / of_year["energy_users_persons"],
            of_year["water_m3"] / of_year["energy_users_persons"],
        )
    assert sums["2020"]["energy_users_persons"] == 187840
    assert sums["2021"]["energy_users_persons"] == 200000
    cent = Decimal("0.01")
    assert [str(value.quantize(cent, ROUND_HALF_UP)) for value in figures["2021"]] == [
        "11.56",
        "135.10",
        "14.49",
    ]
    changes = [(now / then - 1) * 100 for now, then in zip(figures["2021"], figures["2020"], strict=True)]
    assert str(changes[0].quantize(Decimal("0.1"), ROUND_HALF_UP)) == "-7.4"
    assert [str(value.quantize(cent, ROUND_HALF_UP)) for value in changes[1:]] == ["-13.03", "-2.84"]
    headline = {(row["figure"], row["year"]): row["value"] for row in truth("headline")}
    assert headline["energy_per_area_primary_change_pct", "2021"] == "-7.4"
    assert headline["energy_per_capita_primary_kgce_person", "2021"] == "135.10"


def test_counts_and_codes() -> None:
    landing = DISTRICT / "clean" / "landing"
    register = dicts(landing / "registers" / "institutions.csv")
    buildings = dicts(landing / "registers" / "buildings.csv")
    ids = [row["统一社会信用代码"] for row in register]
    assert len(set(ids)) == len(ids) == 449
    assert all(is_credit_code(text) for text in ids)
    assert {len(row["行政区划代码"]) for row in register + buildings} == {9}
    assert set(Counter(row["单位类型代码"] for row in register)) == {
        "01",
        "021",
        "022",
        "023",
        "024",
        "025",
        "026",
        "03",
    }
    assert Counter(row["建筑类别"] for row in buildings) == {
        "A": 50,
        "B": 19,
        "C": 9,
        "D": 36,
        "E": 12,
        "G": 8,
        "H": 8,
    }
    owners = {row["所属单位代码"] for row in buildings} - {""}
    assert owners <= set(ids)
    assert {row["产权性质"] for row in buildings if row["建筑类别"] in "BC"} == {"其他"}
    functions = Counter(
        element.text for element in ElementTree.parse(landing / "metering" / "Build.xml").iter("F_BuildFunc")
    )
    assert functions["H"] == functions["Z"] == 4
    assert len(list((landing / "metering").glob("310118_202112??_Energy.xml"))) == 30
    assert (landing / "metering" / "310118_20211231.zip").is_file()
    assert len(list((landing / "energy_audit").glob("*.xlsx"))) == 7


def is_credit_code(text: str) -> bool:
    """GB 32100: weights are powers of 3 modulo 31; the weighted sum with its check is a multiple of 31."""
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    return (
        len(text) == 18
        and sum(alphabet.index(c) * pow(3, n, 31) for n, c in enumerate(text[:17])) % 31
        == (31 - alphabet.index(text[17])) % 31
    )


def returned(world: str) -> list[dict[str, Any]]:
    """Every approved NY201 record of a world, values in canonical units by item code, in file order."""
    folder = DISTRICT / world / "landing" / "direct_report"
    found = []
    names, labels, *body = rows(folder / "NY201_2020_p.csv", "gb18030")
    codes = rows(folder / "NY201_2021_f.csv")[0][5:]
    assert names == [f"p{number}" for number in range(67)]
    assert labels[16] == "电消费量(kWh)"
    for row in body:
        found.append((row[:5], dict(zip(codes, row[5:49], strict=True)), {}))
    head, units, *body = rows(folder / "NY201_2021_f.csv")
    for row in body:
        found.append(
            (row[:5], dict(zip(codes, row[5:], strict=True)), dict(zip(head[5:], units[5:], strict=True)))
        )
    for document in json.loads((folder / "NY201_2021_rowdata.json").read_text())["documents"]:
        key = [
            document[name] for name in ("respondentId", "respondentName", "periodId", "taskStatus", "release")
        ]
        found.append((key, {f"f{code}": text for code, text in document["rowData"].items()}, {}))
    return [
        {
            "id": key[0],
            "year": key[2][:4],
            "period": key[2],
            "release": int(key[4]),
            "values": {
                code[1:]: Decimal(text) * SIZES.get(of.get(code, ""), 1)
                for code, text in values.items()
                if text
            },
        }
        for key, values, of in found
        if key[3] == "7"
    ]


def test_written_returns_add_up_to_the_truth() -> None:
    sums: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(dict)
    periods: dict[tuple[str, str], list[str]] = defaultdict(list)
    for record in returned("clean"):
        key = record["id"], record["year"]
        periods[key].append(record["period"])
        for code, value in record["values"].items():
            stays = code in ("101", "102")  # the last period's own, not a sum
            sums[key][code] = value if stays else sums[key].get(code, Decimal(0)) + value
    for row in truth("institution_year"):
        for name, code in ITEM.items():
            size = 1000 if name == "other_energy_kgce" else 1
            found = sums[row["institution_id"], row["year"]].get(code)
            assert (found * size if found is not None else None) == (
                Decimal(row[name]) if row[name] else None
            ), (row, name)
    of_2021 = Counter(len(found) for (_, year), found in periods.items() if year == "2021")
    assert of_2021 == {1: 404, 12: 40, 4: 5}
    assert Counter(len(found) for (_, year), found in periods.items() if year == "2020") == {1: 409, 12: 40}


def test_no_unit_price_of_the_clean_world_is_wild() -> None:
    usual = {
        "110": ("111", "0.82"),
        "120": ("121", "5.1"),
        "140": ("141", "3.7"),
        "104": ("1041", "6.7"),
        "150": ("151", "6.5"),
        "160": ("161", "6.2"),
        "170": ("171", "111"),
        "180": ("181", "1275"),
        "130": ("131", "950"),
    }
    for record in returned("clean"):
        values = record["values"]
        for amount, (cost, price) in usual.items():
            assert (amount in values) == (cost in values)
            if values.get(amount, 0) >= 1:
                assert Decimal("0.6") < values[cost] / values[amount] / Decimal(price) < Decimal("1.5"), (
                    record,
                    amount,
                )
        for whole, parts in {"150": ("1501", "1502"), "160": ("1601", "1602")}.items():
            if whole in values:
                assert values[whole] == sum(values[part] for part in parts)


def test_written_readings_add_up_to_the_truth() -> None:
    landing = DISTRICT / "clean" / "landing" / "metering"
    sums: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    with zipfile.ZipFile(landing / "310118_20211231.zip") as last_day:
        packed = io.BytesIO(last_day.read("310118_20211231_Energy.xml"))
    for day in [*sorted(landing.glob("*_Energy.xml")), packed]:
        for build in ElementTree.parse(day).iter("Build"):
            for hour in build.iter("F_HourValue"):
                sums[build.attrib["id"], "2021", "01000"] += Decimal(hour.text or "")
    for year in ("2020", "2021"):
        for row in dicts(landing / f"daily_{year}.csv"):
            sums[row["building_code"], year, row["item_code"]] += Decimal(row["value"])
        meters: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
        for row in dicts(landing / f"registers_{year}.csv", "gb18030"):
            meters[row["建筑代码"], row["分项编码"]].append(Decimal(row["读数"]) * int(row["倍率"]))
        for (building, item), values in meters.items():
            assert len(values) == 13
            assert values == sorted(values)
            sums[building, year, item] = values[-1] - values[0]
    items = {
        "electricity_kwh": "01000",
        "natural_gas_m3": "03000",
        "water_m3": "02000",
        "lighting_electricity_kwh": "01A00",
        "air_conditioning_electricity_kwh": "01B00",
        "power_electricity_kwh": "01C00",
        "special_electricity_kwh": "01D00",
    }
    told = {
        (row["building_code"], row["year"], item): Decimal(row[name])
        for row in truth("building_year")
        for name, item in items.items()
        if row[name]
    }
    assert told == dict(sums)
    reported = {
        (row["institution_id"], row["year"]): Decimal(row["electricity_kwh"])
        for row in truth("institution_year")
    }
    metered: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in dicts(DISTRICT / "clean" / "landing" / "registers" / "buildings.csv"):
        for year in ("2020", "2021"):
            if row["所属单位代码"]:
                metered[row["所属单位代码"], year] += told.get((row["建筑代码"], year, "01000"), Decimal(0))
    assert all(kwh < reported[key] for key, kwh in metered.items())


DEFECTS = [pytest.param(row, id=f"{row['defect_id']}-{row['figure']}") for row in truth("defects")]


@pytest.mark.parametrize("row", DEFECTS)
def test_a_defect_stands_where_the_truth_says(row: dict[str, str]) -> None:
    """At its place the file differs from the clean world, in the world that is named and only there."""
    path = DISTRICT / row["world"] / "landing" / row["path"]
    clean = DISTRICT / "clean" / "landing" / row["path"]
    if row["rule_id"] == "file_refused":
        assert not clean.exists()
        with pytest.raises(json.JSONDecodeError):
            json.loads(path.read_bytes().decode(errors="ignore"))
        return
    assert not clean.exists() or path.read_bytes() != clean.read_bytes()
    if path.suffix == ".xlsx":
        sheet = load_workbook(path)[row["sheet"]]
        merged = any(row["cell"] in area for area in sheet.merged_cells.ranges)
        assert merged == (row["defect_id"] == "m4")
        unit = sheet[f"B{row['line']}"].value
        assert (unit == "斤") == (row["defect_id"] == "f4")
        if row["expected_value"]:
            assert Decimal(str(sheet[row["cell"]].value)) * SIZES[unit] == Decimal(row["expected_value"])
    elif path.suffix == ".json":
        document = json.loads(path.read_text())["documents"][int(row["line"]) - 1]
        assert document["respondentId"] == row["institution_id"]
        assert ("999" in document["rowData"]) == (row["defect_id"] == "f2")
    elif row["line"]:
        lines = rows(path, encoding_of(row["path"]))
        before = rows(clean, encoding_of(row["path"])) if clean.exists() else []
        line = lines[int(row["line"]) - 1]
        assert (row["institution_id"] or row["building_code"]) in line
        assert line not in before
        letters = row["cell"].rstrip("0123456789")
        assert row["cell"] == f"{letters}{row['line']}"
        column = sum((ord(c) - 64) * 26**n for n, c in enumerate(reversed(letters)))
        header = lines[0][column - 1]
        assert header in (f"f{row['item_code']}", "读数", "机构代码", "统一社会信用代码", "建筑代码", "表计编号")
    else:
        months = [line for line in rows(path) if line[0] == row["institution_id"]]
        assert len(months) == 11


def test_only_files_with_a_defect_differ_from_the_clean_world() -> None:
    for world in ("defective", "blocking"):
        named = {row["path"] for row in truth("defects") if row["world"] == world}
        folder, clean = DISTRICT / world / "landing", DISTRICT / "clean" / "landing"
        differing = {
            str(path.relative_to(folder))
            for path in folder.rglob("*")
            if path.is_file()
            and (
                not (clean / path.relative_to(folder)).exists()
                or path.read_bytes() != (clean / path.relative_to(folder)).read_bytes()
            )
        }
        # the institution of f6 also has its basic form, so that it lies in a town
        assert differing - {"direct_report/NY101_2021.csv"} == named


def test_the_unit_slips_cannot_hide_from_a_unit_price() -> None:
    for world, defect, least in (("defective", "m1", 1), ("blocking", "b2", 100)):
        row = next(row for row in truth("defects") if row["defect_id"] == defect)
        line = rows(DISTRICT / world / "landing" / row["path"])[int(row["line"]) - 1]
        head = rows(DISTRICT / world / "landing" / row["path"])[0]
        kwh, yuan = (Decimal(line[head.index(name)]) for name in ("f110", "f111"))
        assert kwh == Decimal(row["clean_value"])  # kWh keyed where 万kWh belongs
        assert yuan / (kwh * 10000) < Decimal("0.001")
        assert kwh * 10000 * Decimal(KGCE["electricity_kwh"]) / 27020000 > least


def test_corrections_expect_what_the_files_say() -> None:
    lines = rows(DISTRICT / "defective" / "landing" / "direct_report" / "NY201_2021_f.csv")
    for item in yaml.safe_load((DISTRICT / "defective" / "corrections.yml").read_text()):
        at = lines[0].index(f"f{item['item']}")
        assert [line[at] for line in lines if line[0] == item["institution"]] == [item["expect"]]
