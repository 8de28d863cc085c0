"""What stands beside the returns: energy passed on, photovoltaics, cooling, and green power with its documents.

Belongs here: volumes drawn as shares of what NY201 holds, their two files, and what must be published of them. Nothing here
changes an institution's own values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from examples.district.generator.calibration import CENT, YEARS
from examples.district.generator.files import Grid, Landing, plain
from examples.district.generator.institutions import Institution, Values

SUPPLEMENT = "direct_report/supplement_2020_2021.csv"
GREEN_POWER = "registers/green_power_20220331.csv"
TRUTH = "truth/beside.csv"

# published column → label of the supplement with its unit, and what one of it is in the column's unit
COLUMNS = {
    "electricity_passed_on_kwh": ("转供电量(万kWh)", Decimal(10000)),
    "heat_passed_on_gj": ("转供热量(GJ)", Decimal(1)),
    "photovoltaic_generation_kwh": ("光伏发电量(kWh)", Decimal(1)),
    "photovoltaic_self_use_kwh": ("光伏自用电量(kWh)", Decimal(1)),
    "photovoltaic_export_kwh": ("光伏上网电量(kWh)", Decimal(1)),
    "cooling_gj": ("外购冷量(GJ)", Decimal(1)),
}
GREEN_YEAR = 2021
GREEN_COLUMNS = ["green_electricity_kwh", "green_electricity_unproven_kwh"]
_GREEN_HEADER = [
    "登记编号", "统一社会信用代码", "凭证类型", "凭证编号", "交易类型", "发电省份代码", "电量(万kWh)", "使用期起", "使用期止", "凭证状态",
    "凭证总电量(万kWh)",
]  # fmt: skip


@dataclass(frozen=True)
class Green:
    """One line of the register of green power; without a valid document its volume counts for nothing."""

    institution: Institution
    kwh: Decimal
    document_no: str
    status: str

    @property
    def is_proven(self) -> bool:
        return bool(self.document_no) and self.status == "有效"


@dataclass
class Beside:
    """`volumes`: institution and year → published column → amount; `green` in the order of the register."""

    volumes: dict[tuple[str, int], Values] = field(default_factory=dict)
    green: list[Green] = field(default_factory=list)
    of: dict[str, Institution] = field(default_factory=dict)


def draw(institutions: list[Institution]) -> Beside:
    beside = Beside(of={item.institution_id: item for item in institutions})
    offices = [item for item in institutions if item.kind.name == "bureau"]
    heated = next(item for item in institutions if "170" in item.carriers)
    schools = [item for item in institutions if item.type_code == "021"]
    hospital = next(item for item in institutions if item.kind.name == "hospital")
    for year in YEARS:
        _add(beside, offices[3], year, "electricity_passed_on_kwh", offices[3].annual[year]["110"] * 3 / 100)
        _add(beside, heated, year, "heat_passed_on_gj", heated.annual[year]["170"] / 10)
        made = (schools[5].annual[year]["110"] / 5).quantize(CENT)
        fed_in = (made / 4).quantize(CENT)
        _add(beside, schools[5], year, "photovoltaic_generation_kwh", made)
        _add(beside, schools[5], year, "photovoltaic_self_use_kwh", made - fed_in)
        _add(beside, schools[5], year, "photovoltaic_export_kwh", fed_in)
        _add(beside, hospital, year, "cooling_gj", hospital.annual[year]["110"] / 1000)
    for item, number, status in (
        (offices[3], "GEC-2021-0000117", "有效"),
        (schools[5], "GEC-2021-0000118", "已撤销"),
        (hospital, "", "有效"),
    ):
        kwh = (item.annual[GREEN_YEAR]["110"] * 2 / 10).quantize(Decimal(1))
        beside.green.append(Green(item, kwh, number, status))
    return beside


def _add(beside: Beside, item: Institution, year: int, column: str, amount: Decimal) -> None:
    beside.volumes.setdefault((item.institution_id, year), {})[column] = amount.quantize(CENT)


def files(beside: Beside) -> Landing:
    lines = [
        [
            "统一社会信用代码",
            "单位名称",
            "报告期",
            "任务状态",
            "版次",
            *[label for label, _ in COLUMNS.values()],
        ]
    ]
    for (institution_id, year), values in sorted(beside.volumes.items()):
        cells = [
            plain(values[column] / size) if column in values else "" for column, (_, size) in COLUMNS.items()
        ]
        lines.append([institution_id, beside.of[institution_id].name, f"{year}000", "7", "1", *cells])
    green = [
        [
            f"G{number}", item.institution.institution_id, "绿证", item.document_no, "绿证交易", "650000",
            plain(item.kwh / 10000), f"{GREEN_YEAR}-01-01", f"{GREEN_YEAR}-12-31", item.status,
            plain(item.kwh / 10000) if item.is_proven else "",
        ]
        for number, item in enumerate(beside.green, 1)
    ]  # fmt: skip
    return {SUPPLEMENT: Grid("utf-8-sig", lines), GREEN_POWER: Grid("utf-8-sig", [_GREEN_HEADER, *green])}


def truth(beside: Beside) -> Landing:
    lines = [["institution_id", "year", *COLUMNS, *GREEN_COLUMNS]]
    for (institution_id, year), values in sorted(beside.volumes.items()):
        cells = [plain(values[column]) if column in values else "" for column in COLUMNS]
        for is_proven in (True, False):
            cells += [
                plain(item.kwh)
                for item in beside.green
                if (item.institution.institution_id, GREEN_YEAR, item.is_proven)
                == (institution_id, year, is_proven)
            ] or [""]
        lines.append([institution_id, str(year), *cells])
    return {TRUTH: Grid("utf-8", lines)}
