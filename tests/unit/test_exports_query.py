"""The SQL sandbox: reads one release, reaches nothing else, ends in time."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import duckdb
import polars as pl
import pytest
from exports_world import dictionary, fill, publish_version

from exports.database import write_database
from exports.query import QueryError, run_sql, sql_on_current
from exports.seal import files_of


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    tables = dictionary(tmp_path_factory.mktemp("dbt"))
    with duckdb.connect() as con:
        fill(con)
        write_database(con, tables, folder / "inventory.duckdb")
    return folder / "inventory.duckdb"


@pytest.mark.parametrize(
    "sql",
    [
        "select count(*) from institution_year",
        "select sum(用电量) as 合计 from 公布.机构年度;",
        "from published.region_year",
        "with a as (select 1 as x) select * from a",
        "describe institution_year",
        "show all tables",
        "summarize factor_used",
        "pivot published.institution_year on year using count(*) group by region_code",
        "explain select * from institution_year",
        "values (1), (2)",
        "select table_name, comment from duckdb_tables()",
    ],
)
def test_reading_works(database: Path, sql: str) -> None:
    result = run_sql(database, sql)
    assert result.rows
    assert len(result.columns) == len(result.types) == len(result.rows[0])


@pytest.mark.parametrize(
    "sql",
    [
        "copy institution_year to '{out}'",
        "copy (select 1) to '{out}' (format parquet)",
        "explain analyze copy institution_year to '{out}'",
        "attach '{out}' as other",
        "attach ':memory:' as other",
        "export database '{out}'",
        "import database '{out}'",
        "select * from read_csv('/etc/hostname')",
        "select * from read_text('/etc/hostname')",
        "select * from read_parquet('{out}')",
        "select * from '/etc/hostname'",
        "select * from glob('/etc/*')",
        "select * from sniff_csv('/etc/hostname')",
        "select * from query('copy institution_year to ''{out}''')",
        "select * from enable_logging(storage = 'file', storage_path = '{out}')",
        "call enable_logging(storage = 'file', storage_path = '{out}')",
        "set memory_limit = '64GB'",
        "reset memory_limit",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "pragma enable_profiling",
        "install httpfs",
        "load httpfs",
        "select getenv('HOME')",
        "select * from a_python_variable",
        "create table published.t as select 1",
        "create temp table t as select 1",
        "insert into factor_used values ('x', 1)",
        "delete from factor_used",
        "drop table factor_used",
        "comment on table factor_used is 'x'",
        "checkpoint",
        "select 1; select 2",
        "select 1; drop table factor_used",
        "",
        "-- nothing",
        "select * from no_such_table",
        "selekt 1",
    ],
)
def test_everything_else_is_refused_in_both_languages(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    # DuckDB finds frames by the name of the variable that holds them, unless told not to
    monkeypatch.setattr("exports.query.a_python_variable", pl.DataFrame({"x": [1]}), raising=False)
    before = database.read_bytes()
    with pytest.raises(QueryError) as caught:
        run_sql(database, sql.replace("{out}", str(tmp_path / "out")))
    assert caught.value.text.zh
    assert caught.value.text.en
    assert files_of(tmp_path) == []
    assert database.read_bytes() == before
    assert files_of(database.parent) == ["inventory.duckdb"]


def test_a_query_that_runs_too_long_is_stopped(database: Path) -> None:
    started = time.monotonic()
    with pytest.raises(QueryError, match=r"ran longer than 0\.3 seconds"):
        run_sql(
            database,
            "select count(*) from range(1000000) a, range(1000000) b where a.range * b.range % 7 = 3",
            timeout_seconds=0.3,
        )
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "sql",
    [
        "select list(i::varchar || repeat('x', 200)) from range(5000000) t(i)",
        "select count(*) from (select distinct i::varchar || repeat('x', 90) from range(4000000) t(i))",
    ],
)
def test_a_query_that_needs_too_much_memory_is_stopped(database: Path, sql: str) -> None:
    with pytest.raises(QueryError, match="more than 64 MB of memory"):
        run_sql(database, sql, memory_limit_mb=64)
    assert files_of(database.parent) == ["inventory.duckdb"], "nothing is spilled beside a sealed file"


def test_long_answers_are_cut_and_say_so(database: Path) -> None:
    cut = run_sql(database, "select * from range(100)", max_rows=10)
    assert (len(cut.rows), cut.is_truncated) == (10, True)
    whole = run_sql(database, "select * from range(10)", max_rows=10)
    assert (len(whole.rows), whole.is_truncated) == (10, False)
    assert len(run_sql(database, "select * from range(20000)", max_rows=None).rows) == 20000


def test_several_queries_at_once_in_one_process(database: Path) -> None:
    answers: list[object] = []

    def ask() -> None:
        answers.append(run_sql(database, "select count(*) from institution_year").rows)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [[(80,)]] * 8


def test_a_broken_file_gives_words_not_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "inventory.duckdb"
    for content in (b"", b"no database", None):
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(QueryError):
            run_sql(path, "select * from published.institution_year")


def test_the_current_release_is_asked(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with pytest.raises(QueryError, match="no release"):
        sql_on_current(home, "select 1")
    tables = dictionary(tmp_path)
    for version in (1, 2):
        publish_version(home, tables, version)
        result, release_id = sql_on_current(home, "select release_id from release")
        assert result.rows == [(release_id,)]
