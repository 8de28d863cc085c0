"""The truth files: what the night must publish from the clean world, and every planted defect.

Belongs here: exact decimal texts taken from the draw, never read back from the written files.
"""

from __future__ import annotations

from calendar import isleap
from decimal import ROUND_HALF_UP, Decimal

from examples.district.generator import audits
from examples.district.generator.buildings import ITEM_ELECTRICITY, ITEM_GAS, ITEM_WATER, Building
from examples.district.generator.calibration import COEFFICIENTS, YEARS
from examples.district.generator.columns import INSTITUTION_COLUMNS
from examples.district.generator.files import Grid, Landing, plain
from examples.district.generator.institutions import Institution
from examples.district.generator.metering import Sums
from examples.district.generator.planting import Defect

BUILDING_COLUMNS = {
    "electricity_kwh": ITEM_ELECTRICITY,
    "natural_gas_m3": ITEM_GAS,
    "water_m3": ITEM_WATER,
    "lighting_electricity_kwh": "01A00",
    "air_conditioning_electricity_kwh": "01B00",
    "power_electricity_kwh": "01C00",
    "special_electricity_kwh": "01D00",
}
DEFECT_COLUMNS = [
    "defect_id",
    "world",
    "kind",
    "rule_id",
    "path",
    "sheet",
    "line",
    "cell",
    "institution_id",
    "building_code",
    "item_code",
    "year",
    "description_zh",
    "description_en",
    "clean_value",
    "expected_value",
    "figure",
]


def files(
    institutions: list[Institution], buildings: list[Building], sums: Sums, defects: list[Defect]
) -> Landing:
    return {
        "truth/institution_year.csv": _institution_year(institutions),
        "truth/building_year.csv": _building_year(buildings, sums),
        "truth/headline.csv": _headline(institutions),
        "truth/defects.csv": Grid("utf-8", [DEFECT_COLUMNS, *[_defect(item) for item in defects]]),
    }


def _defect(item: Defect) -> list[str]:
    return ["" if value is None else str(value) for value in (getattr(item, name) for name in DEFECT_COLUMNS)]


def _institution_year(institutions: list[Institution]) -> Grid:
    ratios = {
        item.institution_id: ratio
        for item, ratio in zip(audits.audited(institutions), audits.RATIOS, strict=True)
    }
    lines = [["institution_id", "year", *INSTITUTION_COLUMNS, "electricity_audited_kwh"]]
    for item in institutions:
        for year in YEARS:
            row = [item.institution_id, str(year)]
            for column, code in INSTITUTION_COLUMNS.items():
                value = item.annual[year].get(code)
                if value is not None and column == "other_energy_kgce":
                    value *= 1000
                row.append("" if value is None else plain(value))
            ratio = ratios.get(item.institution_id)
            found = (
                audits.electricity_2021(item, ratio) if ratio and year == 2021 else item.annual[year]["110"]
            )
            lines.append([*row, plain(found) if ratio else ""])
    return Grid("utf-8", lines)


def _building_year(buildings: list[Building], sums: Sums) -> Grid:
    lines = [["building_code", "year", *BUILDING_COLUMNS, "electricity_coverage_share"]]
    for building in buildings:
        for year in YEARS:
            if (building.code, year, ITEM_ELECTRICITY) not in sums:
                continue
            found = [sums.get((building.code, year, item)) for item in BUILDING_COLUMNS.values()]
            hours = 8784 if isleap(year) else 8760
            covered = 744 if building.feed == "node" else hours
            lines.append(
                [
                    building.code,
                    str(year),
                    *["" if value is None else plain(value) for value in found],
                    f"{covered}/{hours}",
                ]
            )
    return Grid("utf-8", lines)


def _headline(institutions: list[Institution]) -> Grid:
    lines = [["figure", "year", "value"]]
    of_year = {}
    for year in YEARS:

        def total(code: str, year: int = year) -> Decimal:
            return sum((item.annual[year].get(code, Decimal(0)) for item in institutions), Decimal(0))

        energy = sum((total(code) * factor for code, factor in COEFFICIENTS.items()), Decimal(0))
        vehicles = sum((total(code) * COEFFICIENTS[code] for code in ("1501", "1601")), Decimal(0))
        of_year[year] = {
            "energy_per_area_primary": (energy - vehicles) / total("101"),
            "energy_per_capita_primary": energy / total("102"),
            "water_per_capita": total("120") / total("102"),
        }
        lines.append(["n_institutions", str(year), str(len(institutions))])
        lines.append(["floor_area_m2", str(year), plain(total("101"))])
        lines.append(["energy_users_persons", str(year), plain(total("102"))])
        lines.append(["energy_total_primary_kgce", str(year), plain(energy)])
        lines.append(["energy_building_primary_kgce", str(year), plain(energy - vehicles)])
        lines.append(["water_m3", str(year), plain(total("120"))])
    units = {
        "energy_per_area_primary": "kgce_m2",
        "energy_per_capita_primary": "kgce_person",
        "water_per_capita": "m3_person",
    }
    for figure, unit in units.items():
        places = {"energy_per_area_primary": "0.1"}.get(figure, "0.01")
        change = (of_year[2021][figure] / of_year[2020][figure] - 1) * 100
        lines.append([f"{figure}_{unit}", "2021", _printed(of_year[2021][figure], "0.01")])
        lines.append([f"{figure}_change_pct", "2021", _printed(change, places)])
    return Grid("utf-8", lines)


def _printed(value: Decimal, places: str) -> str:
    return plain(value.quantize(Decimal(places), ROUND_HALF_UP))
