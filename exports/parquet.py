"""Published tables as Parquet, the same bytes on any number of threads and after any history of the table.

Here belongs how a part is cut, sorted and written. Three things make the bytes a function of the rows
alone: one COPY per part sorted by a unique key; no statistics of the stored table (they decide whether
DuckDB marks a field required or optional, and they remember rows long deleted); metadata from the
declaration only. Which tables are published, and hashing, do not belong here.
"""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exports.dictionary import PublishedTable
from exports.messages import ExportError
from exports.quoting import folder_value, quoted_name, quoted_names, quoted_text

if TYPE_CHECKING:
    import duckdb

ROW_GROUP_SIZE = 122_880
# The county: six digits of a Chinese division code; towns and villages below lie in their county's folder.
# Upper case, because two codes that differ by case only would share a folder on half the file systems.
_REGION = 'upper(left("region_code"::varchar, 6))'


def write_parquet(con: duckdb.DuckDBPyConnection, table: PublishedTable, release: Path) -> list[str]:
    """Write all parts of one table below `release`; gives their paths relative to it, sorted.

    The grain must be unique (candidate.check_candidates sees to it), else rows of one key could change
    places.
    """
    metadata = _key_value_metadata(con, table)
    parts = []
    with _without_statistics(con):
        for folder, condition, values in _parts(con, table):
            path = release / "parquet" / table.name / folder / "part-0.parquet"
            if path.exists():
                raise ExportError(
                    f"{table.name} 的两个分区写入同一文件夹 {folder}。请检查 region_code 与 year。",
                    f"two parts of {table.name} fall into one folder {folder}. Check region_code and year.",
                )
            path.parent.mkdir(parents=True, exist_ok=True)
            con.execute(
                f"copy (select {quoted_names(table.column_names)} from {table.candidate} "
                f"where {condition} order by {sort_key(table)}) to $path "
                f"(format parquet, compression zstd, parquet_version v2, row_group_size {ROW_GROUP_SIZE}, "
                f"kv_metadata {metadata})",
                {**values, "path": str(path)},
            ).fetchall()
            parts.append(path.relative_to(release).as_posix())
    return sorted(parts)


def sort_key(table: PublishedTable) -> str:
    """The whole grain; the place of nulls is said, because a connection may have its own default."""
    return ", ".join(f"{quoted_name(key)} asc nulls last" for key in table.grain)


def _parts(
    con: duckdb.DuckDBPyConnection, table: PublishedTable
) -> Iterator[tuple[str, str, dict[str, object]]]:
    """Folder, condition and its values for each part; a table without rows still gives one part with
    its columns.
    """
    keys: list[tuple[Any, ...]] = []
    if table.is_partitioned:
        keys = con.execute(
            f'select distinct {_REGION}, "year" from {table.candidate} order by 1 nulls last, 2 nulls last'
        ).fetchall()
    if not keys:
        yield "", "true", {}
    for region, year in keys:
        yield (
            f"region={folder_value(region)}/year={folder_value(year)}",
            f'{_REGION} is not distinct from $region and "year" is not distinct from $year',
            {"region": region, "year": year},
        )


@contextlib.contextmanager
def _without_statistics(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Switch the optimizer's use of stored statistics off while parts are written."""
    before = str(con.execute("select current_setting('disabled_optimizers')").fetchall()[0][0] or "")
    names = {name.strip() for name in before.split(",") if name.strip()} | {"statistics_propagation"}
    con.execute(f"set disabled_optimizers = {quoted_text(','.join(sorted(names)))}").fetchall()
    try:
        yield
    finally:
        con.execute(f"set disabled_optimizers = {quoted_text(before)}").fetchall()


def _key_value_metadata(con: duckdb.DuckDBPyConnection, table: PublishedTable) -> str:
    """Unit, description and Chinese name of each column, for people and for programs.

    `tancang` is JSON that any Parquet reader shows; `ARROW:schema` is where Arrow keeps the metadata of
    fields, so that pyarrow, pandas and R's arrow find the unit at the field itself.
    """
    schema = con.sql(f"select {quoted_names(table.column_names)} from {table.candidate} limit 0")
    fields = schema.to_arrow_table().schema
    for number, column in enumerate(table.columns):
        facts = {"description": column.description, "name_zh": column.name_zh, "unit": column.unit or ""}
        fields = fields.set(number, fields.field(number).with_metadata(facts))
    fields = fields.with_metadata({"description": table.description, "name_zh": table.name_zh})
    arrow = base64.b64encode(fields.serialize().to_pybytes()).decode()
    ours = json.dumps(
        {
            "table": table.name,
            "name_zh": table.name_zh,
            "description": table.description,
            "grain": table.grain,
            "columns": {
                column.name: {
                    "unit": column.unit,
                    "description": column.description,
                    "name_zh": column.name_zh,
                }
                for column in table.columns
            },
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return f'{{"ARROW:schema": {quoted_text(arrow)}, "tancang": {quoted_text(ours)}}}'
