"""Parquet: the same bytes whatever the history, honest metadata, folders safe from hostile codes."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from exports_world import dictionary, fill

from exports.candidate import check_candidates, compare_parquet
from exports.dictionary import PublishedTable
from exports.messages import ExportError
from exports.parquet import write_parquet
from exports.quoting import folder_value
from exports.seal import files_of, sha256_of


@pytest.fixture
def tables(tmp_path: Path) -> tuple[PublishedTable, ...]:
    return dictionary(tmp_path)


def _hashes(con: duckdb.DuckDBPyConnection, tables: tuple[PublishedTable, ...], root: Path) -> dict[str, str]:
    check_candidates(con, tables)
    for table in tables:
        parts = write_parquet(con, table, root)
        compare_parquet(con, table, root, parts)
    return {path: sha256_of(root / path) for path in files_of(root)}


@pytest.mark.parametrize("rows", [40, 4000])
def test_bytes_do_not_depend_on_threads_order_or_history(
    tmp_path: Path, tables: tuple[PublishedTable, ...], rows: int
) -> None:
    found = []
    for number, (threads, seed, has_history) in enumerate(
        [(1, None, False), (2, None, False), (1, 7, True), (2, 8, True), (2, 9, False)]
    ):
        with duckdb.connect(str(tmp_path / f"{number}.duckdb")) as con:
            con.execute(f"set threads = {threads}")
            fill(con, n_institutions=rows, seed=seed)
            if has_history:
                # nulls once stored and deleted again stay in the table's statistics
                con.execute(
                    "insert into marts.institution_year select columns(*)::varchar from "
                    "(select null, 'gone', null, 1999, null, null, null, null, null)"
                )
                con.execute("checkpoint").fetchall()
                con.execute("delete from marts.institution_year where year = 1999")
            found.append(_hashes(con, tables, tmp_path / f"release{number}"))
    assert found[0]
    assert all(hashes == found[0] for hashes in found)


def test_settings_of_the_connection_are_put_back(tmp_path: Path, tables: tuple[PublishedTable, ...]) -> None:
    with duckdb.connect() as con:
        fill(con)
        con.execute("set disabled_optimizers = 'filter_pushdown'")
        con.execute("set default_null_order = 'nulls_first'")
        one = _hashes(con, tables, tmp_path / "a")
        assert con.execute("select current_setting('disabled_optimizers')").fetchall() == [
            ("filter_pushdown",)
        ]
    with duckdb.connect() as con:
        fill(con)
        assert _hashes(con, tables, tmp_path / "b") == one
        assert con.execute("select current_setting('disabled_optimizers')").fetchall()[0][0] in ("", None)


def test_parts_lie_by_region_and_year_and_every_reader_reads_them(
    tmp_path: Path, tables: tuple[PublishedTable, ...]
) -> None:
    with duckdb.connect() as con:
        fill(con)
        paths = list(_hashes(con, tables, tmp_path / "r"))
        candidate = con.execute(
            "select * from marts.institution_year order by institution_id, year"
        ).fetchall()
    assert "parquet/institution_year/region=310118/year=2021/part-0.parquet" in paths
    assert "parquet/factor_used/part-0.parquet" in paths
    assert "parquet/release/part-0.parquet" in paths, "a table without rows still shows its columns"
    folder = tmp_path / "r/parquet/institution_year"
    with duckdb.connect() as con:
        read = con.execute(
            "select * exclude region from read_parquet($glob) order by institution_id, year",
            {"glob": f"{folder}/**/*.parquet"},
        ).fetchall()
    assert read == candidate
    frame = pl.read_parquet(folder / "**/*.parquet").sort("institution_id", "year")
    assert frame["electricity_kwh"].to_list() == [row[5] for row in candidate]
    arrow = ds.dataset(folder, format="parquet", partitioning="hive").to_table()
    assert arrow.num_rows == len(candidate)


def test_units_and_descriptions_are_in_the_fields(tmp_path: Path, tables: tuple[PublishedTable, ...]) -> None:
    with duckdb.connect() as con:
        fill(con)
        _hashes(con, tables, tmp_path / "r")
    path = tmp_path / "r/parquet/region_year/region=310118/year=2021/part-0.parquet"
    schema = pq.read_schema(path)
    assert schema.field("electricity_kwh").metadata == {
        b"unit": b"kWh",
        b"description": "Electricity bought (用电量)".encode(),
        b"name_zh": "用电量".encode(),
    }
    assert str(schema.field("electricity_kwh").type) == "decimal128(38, 12)"
    assert schema.metadata[b"name_zh"].decode() == "区域年度"
    with duckdb.connect() as con:
        keys = dict(
            con.execute(
                "select decode(key), decode(value) from parquet_kv_metadata(?)", [str(path)]
            ).fetchall()
        )
    ours = json.loads(keys["tancang"])
    assert ours["table"] == "region_year"
    assert ours["columns"]["electricity_kwh"]["unit"] == "kWh"


HOSTILE = [
    "../../etc",
    "a'b\"c",
    "31:0|8",
    "区划",
    "CON",
    " . ",
    "",
    None,
    "abc",
    "ABC",
    "__HIVE",
    "%2F",
    "a\0b",
    "$1{}",
]


def test_hostile_region_codes_stay_inside_and_come_back(
    tmp_path: Path, tables: tuple[PublishedTable, ...]
) -> None:
    table = tables[1]
    with duckdb.connect() as con:
        fill(con, n_institutions=1)
        con.execute("delete from marts.institution_year")
        for number, code in enumerate(HOSTILE):
            for year in (2021, None):
                con.execute(
                    "insert into marts.institution_year (region_code, institution_id, year) values (?, ?, ?)",
                    [code, f"I{number}", year],
                )
        root = tmp_path / "it's [a] home*" / "r"
        parts = write_parquet(con, table, root)
        compare_parquet(con, table, root, parts)
        stored = con.execute(
            "select region_code from read_parquet(?, hive_partitioning = false)",
            [[str(root / part) for part in parts]],
        ).fetchall()
    assert sorted(map(str, (row[0] for row in stored))) == sorted(str(code) for code in HOSTILE * 2)
    assert files_of(root) == sorted(parts)
    assert all("/".join(part.split("/")[:2]) == "parquet/institution_year" for part in parts)
    assert all(
        set(part) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=%./")
        for part in parts
    )
    assert len({part.casefold() for part in parts}) == len(parts)
    # abc and ABC share a folder; null, the empty code and a code spelled like a reserved name do not
    assert len(parts) == 2 * (len(HOSTILE) - 1)


def test_folder_values_never_collide_with_reserved_names() -> None:
    values = [None, "", "__EMPTY__", "__HIVE_DEFAULT_PARTITION__", "a/b", "a%2Fb", "a_b", "a b"]
    assert len({folder_value(value).casefold() for value in values}) == len(values)


def test_a_repeated_grain_and_a_moved_type_are_refused(tables: tuple[PublishedTable, ...]) -> None:
    with duckdb.connect() as con:
        fill(con)
        con.execute("insert into marts.factor_used values ('F1', 1)")
        con.execute("alter table marts.region_year alter n_institutions type integer")
        con.execute("alter table marts.institution_year add column extra varchar")
        con.execute("drop table gate.release")
        with pytest.raises(ExportError) as caught:
            check_candidates(con, tables)
    text = caught.value.text.en
    assert "factor_used: 主键重复 / the grain ('factor_id',) repeats at ('F1',)" in text
    assert "region_year.n_institutions: 现为 / found INTEGER, 应为 / expected BIGINT" in text
    assert "institution_year.extra" in text
    assert "gate.release: 不存在 / does not exist" in text


def test_read_back_sees_a_part_that_lost_a_row(tmp_path: Path, tables: tuple[PublishedTable, ...]) -> None:
    with duckdb.connect() as con:
        fill(con)
        parts = write_parquet(con, tables[0], tmp_path / "r")
        con.execute("update marts.factor_used set factor_value = 0.5 where factor_id = 'F3'")
        with pytest.raises(ExportError, match="factor_used"):
            compare_parquet(con, tables[0], tmp_path / "r", parts)
