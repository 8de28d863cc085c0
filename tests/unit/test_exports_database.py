"""inventory.duckdb: order, comments, Chinese views, and clients older than ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from exports_world import dictionary, fill

from exports.candidate import compare_database
from exports.database import write_database
from exports.dictionary import PublishedTable
from exports.messages import ExportError


@pytest.fixture
def tables(tmp_path: Path) -> tuple[PublishedTable, ...]:
    return dictionary(tmp_path)


@pytest.fixture
def database(tmp_path: Path, tables: tuple[PublishedTable, ...]) -> Path:
    path = tmp_path / "it's [a] home" / "inventory.duckdb"
    path.parent.mkdir()
    with duckdb.connect() as con:
        fill(con, seed=3)
        write_database(con, tables, path)
        compare_database(con, tables, path)
        assert con.execute("select database_name from duckdb_databases() where not internal").fetchall() == [
            ("memory",)
        ]
    return path


def test_one_file_sorted_by_grain_that_older_clients_open(database: Path) -> None:
    assert [path.name for path in database.parent.iterdir()] == ["inventory.duckdb"], "no log beside the file"
    with duckdb.connect(str(database), read_only=True) as con:
        tags = con.execute("select tags from duckdb_databases() where database_name = 'inventory'").fetchall()
        assert tags[0][0]["storage_version"].startswith("v1.5.0")
        rows = con.execute("select institution_id, year from published.institution_year").fetchall()
        assert rows == sorted(rows)


def test_every_table_view_and_column_has_its_comment(
    database: Path, tables: tuple[PublishedTable, ...]
) -> None:
    with duckdb.connect(str(database), read_only=True) as con:
        comments = dict(
            con.execute(
                "select schema_name || '.' || table_name, comment from duckdb_tables() union all "
                "select schema_name || '.' || view_name, comment from duckdb_views() where not internal"
            ).fetchall()
        )
        columns = {
            (schema, table, column): comment
            for schema, table, column, comment in con.execute(
                "select schema_name, table_name, column_name, comment from duckdb_columns() where not internal"
            ).fetchall()
        }
    assert comments == {f"published.{table.name}": table.comment for table in tables} | {
        f"公布.{table.name_zh}": table.comment for table in tables
    }
    assert columns == {
        (schema, relation, name): column.comment
        for table in tables
        for column in table.columns
        for schema, relation, name in (
            ("published", table.name, column.name),
            ("公布", table.name_zh, column.name_zh),
        )
    }


def test_chinese_views_answer_also_when_the_file_is_attached_under_another_name(database: Path) -> None:
    with duckdb.connect(str(database), read_only=True) as con:
        expected = con.execute("select sum(electricity_kwh) from published.institution_year").fetchall()
        assert con.execute("select sum(用电量) from 公布.机构年度").fetchall() == expected
    with duckdb.connect() as con:
        con.execute(
            "attach $path as other (read_only)".replace("$path", "'" + str(database).replace("'", "''") + "'")
        )
        assert con.execute("select sum(用电量) from other.公布.机构年度").fetchall() == expected


def test_read_back_sees_a_changed_value(database: Path, tables: tuple[PublishedTable, ...]) -> None:
    with duckdb.connect(str(database)) as con:
        con.execute("update published.factor_used set factor_value = 1 where factor_id = 'F0'")
    with duckdb.connect() as con:
        fill(con)
        with pytest.raises(ExportError, match="factor_used"):
            compare_database(con, tables, database)


@pytest.mark.slow
def test_a_client_of_the_1_5_line_reads_it(database: Path, tmp_path: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists() and shutil.which("uv") is None:
        pytest.skip("uv is not installed, so no older client can be set up")
    program = str(uv if uv.exists() else shutil.which("uv"))
    venv = tmp_path / "older"
    python = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    for command in (
        [program, "venv", "--quiet", "--python", sys.executable, str(venv)],
        [program, "pip", "install", "--quiet", "--python", str(python), "duckdb==1.5.5"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            pytest.skip(f"no older client can be set up here: {done.stderr[-300:]}")
    script = (
        "import duckdb, sys; con = duckdb.connect(sys.argv[1], read_only=True);"
        "print(duckdb.__version__, con.execute('select count(*) from published.institution_year').fetchone()[0],"
        "con.execute('select count(用电量) from 公布.机构年度').fetchone()[0],"
        "con.execute(\"select count(comment) from duckdb_columns() where schema_name = '公布'\").fetchone()[0])"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONPATH": ""}
    read = subprocess.run(
        [str(python), "-c", script, str(database)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert read.returncode == 0, read.stderr
    assert read.stdout.split() == ["1.5.5", "80", "80", "28"]
