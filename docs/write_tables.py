"""Writes docs/tables.md from dbt's manifest: the published tables in English and Chinese.

Belongs here: the page's wording. What a table or column means stands in its YAML under dbt_project/models and
nowhere else.

    .venv/bin/python docs/write_tables.py
"""

from __future__ import annotations

from pathlib import Path

from exports.dictionary import PublishedTable, load_dictionary
from orchestration.dbt_build import current_manifest

TARGET = Path(__file__).parent / "tables.md"

HEAD = """\
# Published tables / 发布表

<!-- Written by docs/write_tables.py from dbt's manifest. Change the YAML under dbt_project/models and run it again. -->

Every release holds these tables three times: in `inventory.duckdb` as schema `published`, there again as views with Chinese
names in schema `公布`, and as Parquet. Null means not reported or not computable, never zero.
每版发布都有三份：`inventory.duckdb` 的 `published` 模式、同一文件中 `公布` 模式的中文视图，以及 Parquet。空值表示未报送或无法计算，不是零。

Amounts and sums are exact decimals; ratios, shares and changes are doubles from exact sums ([definitions.md](definitions.md#19-number-types)).
Tables with `region_code` and `year` are split into `parquet/<table>/region=<county code>/year=<year>/`.
"""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _table(table: PublishedTable) -> str:
    lines = [
        f"## {table.name}",
        "",
        f"{table.name_zh}: {table.description}",
        "",
        f"One row per / 每行: {', '.join(f'`{key}`' for key in table.grain)}.",
        "",
        "| column | 中文列名 | type | unit | meaning |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{column.name}` | {column.name_zh} | {column.data_type} | {_cell(column.unit or '')} | {_cell(column.description)} |"
        for column in table.columns
    ]
    return "\n".join(lines) + "\n"


def page() -> str:
    """The whole page."""
    tables = load_dictionary(Path(current_manifest()))
    listed = "\n".join(
        f"| [{table.name}](#{table.name}) | {table.name_zh} | {', '.join(table.grain)} | {len(table.columns)} |"
        for table in tables
    )
    overview = f"| table | 中文名 | one row per | columns |\n|---|---|---|---|\n{listed}\n"
    return "\n".join([HEAD, overview, *[_table(table) for table in tables]])


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
    print(TARGET.name)
