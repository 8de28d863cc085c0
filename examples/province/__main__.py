"""Command: `python -m examples.province OUT` writes the landing folder of the province's returns of 2020 below OUT.

Belongs here: the files a provincial platform would export, one of returns for each prefecture and one register.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

from examples.province.calibration import YEAR
from examples.province.institutions import PREFECTURES, draw, written

_UNITS = {
    "f101": "m2", "f102": "人", "f110": "kWh", "f120": "m3", "f140": "m3", "f150": "L", "f1501": "L", "f160": "L",
    "f1601": "L", "f180": "tce",
}  # fmt: skip
_HEAD = ["机构代码", "单位名称", "报告期", "状态", "版次"]


def write(out: Path) -> None:
    """Same bytes on every machine."""
    institutions = draw()
    returns = out / "direct_report"
    registers = out / "registers"
    for folder in (returns, registers):
        folder.mkdir(parents=True, exist_ok=True)
    for code in PREFECTURES:
        rows = _returns(institutions.filter(pl.col("division") == code))
        _write_csv(
            rows,
            [*_HEAD, *_UNITS],
            returns / f"NY201_{YEAR}_{code}.csv",
            ["单位", "", "", "", "", *_UNITS.values()],
        )
    _write_csv(_register(institutions), None, registers / "institutions.csv", None)


def _returns(institutions: pl.DataFrame) -> pl.DataFrame:
    """NY201 with the columns that the province uses; all petrol and diesel is that of vehicles."""
    return institutions.select(
        机构代码="institution_id",
        单位名称="name",
        报告期=pl.lit(f"{YEAR}000"),
        状态=pl.lit("7"),
        版次=pl.lit("1"),
        **{column: written({"150": "1501", "160": "1601"}.get(column[1:], column[1:])) for column in _UNITS},
    )


def _register(institutions: pl.DataFrame) -> pl.DataFrame:
    return institutions.select(
        统一社会信用代码="institution_id",
        单位名称="name",
        单位类型代码="type_code",
        行政区划代码="division",
        上级单位代码=pl.lit(None, pl.String),
        级别=pl.lit("005"),
        生效日期=pl.lit("2015-01-01"),
        失效日期=pl.lit(None, pl.String),
    )


def _write_csv(rows: pl.DataFrame, columns: list[str] | None, path: Path, units: list[str] | None) -> None:
    head = ",".join(columns or rows.columns) + "\n"
    if units is not None:
        head += ",".join(units) + "\n"
    path.write_bytes(b"\xef\xbb\xbf" + head.encode() + rows.write_csv(include_header=False).encode())


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(".tancang-province") / "landing")
