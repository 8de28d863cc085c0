"""A platform's own database: exact text, increments that lose and repeat nothing, and an account that can only read."""

from __future__ import annotations

import csv
import io
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from feed_home import FeedHome
from servers import Postgres

from ingestion.feeds import run
from ingestion.feeds.database import quoted


@pytest.fixture
def table(postgres: Postgres, secret: Callable[[str, str], str]) -> str:
    secret("PLATFORM_DB_USER", "owner")
    secret("PLATFORM_DB_PASSWORD", postgres.password)
    postgres.run(
        "drop schema if exists platform cascade",
        "create schema platform",
        'create table platform."read""ings" (id bigint, meter text, kwh numeric, updated_at timestamptz)',
    )
    return 'platform.read"ings'


def declared(postgres: Postgres, **more: Any) -> dict[str, Any]:
    return {
        "id": "rows",
        "source": "metering",
        "kind": "database",
        "address": postgres.address,
        "user_env": "PLATFORM_DB_USER",
        "password_env": "PLATFORM_DB_PASSWORD",
        "timeout_s": 10,
        "tries": 2,
        **more,
    }


def rows(home: FeedHome) -> list[list[str]]:
    """Every landed row, header lines left out, in the order of the files."""
    return [row for data in home.landed.values() for row in list(csv.reader(io.StringIO(data.decode())))[1:]]


def add(postgres: Postgres, *values: str) -> None:
    postgres.run(f'insert into platform."read""ings" values {", ".join(values)}')


def test_every_column_lands_as_exact_text(feed_home: FeedHome, postgres: Postgres, table: str) -> None:
    postgres.run(
        """create table platform.kinds as select
            1::bigint as id, 12.50::numeric as n, 12345678901234567890.123456789::numeric as big, 1e-7::numeric as small,
            0.1::float8 as f, true as b, date '2021-03-01' as d, timestamp '2021-03-01 08:00:00.5' as t,
            timestamptz '2021-03-01 08:00:00+08' as tz, '{"v": 1.50}'::jsonb as j, array[1, 2] as a, '\\x00ff'::bytea as x,
            E'a,"b"\\nc 碳仓'::text as "文 本", ''::text as empty, null::text as missing"""
    )
    feed_home.declare(declared(postgres, table="platform.kinds"))
    run = feed_home.fetch()
    assert (run.outcome, run.n_files, run.n_records) == ("answered", 1, 1), run
    assert feed_home.landed["metering/rows/all.csv"].decode() == (
        '"id","n","big","small","f","b","d","t","tz","j","a","x","文 本","empty","missing"\n'
        '"1","12.50","12345678901234567890.123456789","0.0000001","0.1","true","2021-03-01","2021-03-01 08:00:00.5",'
        '"2021-03-01 00:00:00+00","{""v"": 1.50}","{1,2}","\\x00ff","a,""b""\nc 碳仓","",\n'
    )
    assert feed_home.fetch().n_files == 0
    postgres.run("update platform.kinds set n = 12.5")
    assert feed_home.fetch().n_files == 1
    postgres.run("delete from platform.kinds")
    assert feed_home.fetch().reason_code == "feed_empty"
    assert b'"12.5"' in feed_home.landed["metering/rows/all.csv"]


def test_rows_land_once_in_files_of_a_size(feed_home: FeedHome, postgres: Postgres, table: str) -> None:
    postgres.run(
        """insert into platform."read""ings" select g, 'm' || g % 3, g * 1.10, timestamptz '2021-03-01' + g % 7 * interval '1 hour'
        from generate_series(1, 5000) g"""
    )
    feed_home.declare(declared(postgres, table=table, cursor="updated_at", rows_per_file=1200))
    run = feed_home.fetch()
    assert (run.n_files, run.n_records) == (5, 5000)
    assert list(feed_home.landed)[-1] == "metering/rows/000005.csv"
    assert sorted(int(row[0]) for row in rows(feed_home)) == list(range(1, 5001))
    held = postgres.run('select id::text, meter, kwh::text, updated_at::text from platform."read""ings"')
    assert sorted(map(tuple, rows(feed_home))) == sorted(held)

    # rows of the newest moment, and one that was written late
    add(
        postgres,
        "(6001, 'm', 1, '2021-03-01 06:00+00')",
        "(6002, 'm', 1, '2021-03-01 05:00+00')",
        "(6003, 'm', 1, '2021-03-02')",
    )
    assert feed_home.fetch().n_records == 2, "without overlap the late row is not asked for"
    assert feed_home.fetch().n_records == 0


def test_an_overlap_finds_late_rows_and_repeats_none(
    feed_home: FeedHome, postgres: Postgres, table: str
) -> None:
    add(
        postgres,
        "(1, 'm', 1, '2021-03-01 10:00+00')",
        "(2, 'm', 1, '2021-03-01 11:00+00')",
        "(9, 'm', 9, null)",
    )
    feed_home.declare(declared(postgres, table=table, cursor="updated_at", overlap=7200))
    assert feed_home.fetch().n_records == 3
    add(
        postgres,
        "(3, 'm', 1, '2021-03-01 09:30+00')",
        "(2, 'm', 1, '2021-03-01 11:00+00')",
        "(8, 'm', 8, null)",
    )
    run = feed_home.fetch()
    # a second row that equals one already delivered is a second row
    assert run.n_records == 3
    assert sorted(row[0] for row in rows(feed_home)) == ["1", "2", "2", "3", "8", "9"]
    assert feed_home.fetch().n_records == 0


def test_a_row_of_the_far_future_does_not_carry_the_cursor_away(
    feed_home: FeedHome, postgres: Postgres, table: str
) -> None:
    add(postgres, "(1, 'm', 1, 'infinity')", "(2, 'm', 1, '2999-12-31')", "(3, 'm', 1, '2021-03-01')")
    feed_home.declare(declared(postgres, table=table, cursor="updated_at", overlap=60))
    assert feed_home.fetch().n_records == 3
    add(postgres, "(4, 'm', 1, now())")
    assert feed_home.fetch().n_records == 1
    assert feed_home.fetch().n_records == 0
    assert sorted(row[0] for row in rows(feed_home)) == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    "kind", ["smallint", "integer", "bigint", "numeric", "date", "timestamp", "timestamptz"]
)
def test_each_kind_of_cursor_reads_on(feed_home: FeedHome, postgres: Postgres, table: str, kind: str) -> None:
    value = "g" if kind in ("smallint", "integer", "bigint", "numeric") else "date '2021-03-01' + g"
    extra = ", ('NaN'::numeric, 'nan')" if kind == "numeric" else ""
    postgres.run(
        f"create table platform.steps (c {kind}, v text)",
        f"insert into platform.steps select {value}, g::text from generate_series(1, 4) g",
        *([f"insert into platform.steps values {extra[2:]}"] if extra else []),
    )
    feed_home.declare(declared(postgres, query="select * from platform.steps;", cursor="c", overlap=1))
    first = feed_home.fetch()
    assert first.n_records == (5 if extra else 4), first
    postgres.run(f"insert into platform.steps select {value}, g::text from generate_series(5, 6) g")
    assert feed_home.fetch().n_records == 2
    assert feed_home.fetch().n_records == 0
    found = [row[1] for row in rows(feed_home) if row[1] != "nan"]
    assert sorted(found) == list("123456")


def test_a_first_reading_that_breaks_off_goes_on_where_it_was(
    feed_home: FeedHome, postgres: Postgres, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingestion.feeds.delivery import Outbox

    add(postgres, *[f"({n}, 'm', {n}, '2021-03-01 00:00+00')" for n in range(10)])
    feed_home.declare(declared(postgres, table=table, cursor="updated_at", rows_per_file=3))
    real, landed = Outbox.deliver, []

    def dies_after_two(self: Outbox, delivery: Any) -> None:
        if len(landed) == 2:
            raise OSError(28, "No space left on device")
        real(self, delivery)
        landed.append(delivery)

    with monkeypatch.context() as patched:
        patched.setattr(Outbox, "deliver", dies_after_two)
        run = feed_home.fetch()
    assert (run.outcome, run.n_records) == ("failed", 6)
    assert "No space left" in (run.reason_en or "")
    assert feed_home.fetch().n_records == 4
    assert sorted(int(row[0]) for row in rows(feed_home)) == list(range(10))


@pytest.mark.parametrize(
    "query",
    [
        "select 1 as id); drop table platform.kept; select (1 as id",
        "delete from platform.kept returning 1",
        "with gone as (delete from platform.kept returning id) select id from gone",
        "select setval('platform.counter', 999) as id",
        "select 1 as id) as feed; drop table platform.kept; select * from (select 1 as id",
    ],
)
def test_nothing_can_be_written(feed_home: FeedHome, postgres: Postgres, table: str, query: str) -> None:
    postgres.run("create table platform.kept as select 1 as id", "create sequence platform.counter")
    feed_home.declare(declared(postgres, query=query))
    run = feed_home.fetch()
    assert (run.outcome, run.reason_code) == ("failed", "feed_failing")
    assert re.search(
        "must have an alias|multiple commands|syntax error|must be at the top level|read-only transaction",
        run.reason_en or "",
    )
    assert postgres.run("select count(*) from platform.kept") == [(1,)]
    assert postgres.run("select last_value from platform.counter") == [(1,)]
    assert feed_home.landed == {}


def test_a_name_is_only_ever_a_name(feed_home: FeedHome, postgres: Postgres, table: str) -> None:
    assert quoted('a"; drop table b; --') == '"a""; drop table b; --"'
    add(postgres, "(1, 'm', 1, now())")
    for cursor in ('id"; drop table platform.kept; --', "nosuch"):
        feed_home.declare(declared(postgres, table=table, cursor=cursor))
        assert feed_home.fetch().reason_code == "feed_unexpected_answer"
    feed_home.declare(declared(postgres, table=table, cursor="meter"))
    run = feed_home.fetch()
    assert run.reason_code == "feed_unexpected_answer"
    assert "type text" in (run.reason_en or "")
    feed_home.declare(declared(postgres, query="select 1 as a, 2 as a"))
    assert "one name" in (feed_home.fetch().reason_en or "")


def test_a_query_that_runs_away_is_ended_by_the_server(
    feed_home: FeedHome, postgres: Postgres, table: str
) -> None:
    feed_home.declare(declared(postgres, query="select pg_sleep(30)::text as id", longest_s=1))
    run = feed_home.fetch()
    assert run.reason_code == "feed_too_long"
    assert postgres.run(
        "select count(*) from pg_stat_activity where query like '%pg_sleep(30)%' and pid <> pg_backend_pid() and state = 'active'"
    ) == [(0,)]


def test_a_server_that_hangs_does_not_hold_the_night(
    feed_home: FeedHome, postgres: Postgres, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "GRACE_S", 0.5)
    add(postgres, "(1, 'm', 1, now())")
    (pid,) = postgres.run("select pid from pg_stat_activity where backend_type = 'checkpointer'")[0]
    postmaster = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    feed_home.declare(declared(postgres, table=table, longest_s=1, tries=1))
    os.kill(postmaster, signal.SIGSTOP)
    try:
        found = feed_home.fetch()
    finally:
        os.kill(postmaster, signal.SIGCONT)
    assert found.reason_code in ("feed_too_long", "feed_unreachable")
    assert feed_home.landed == {}
    feed_home.declare(declared(postgres, table=table))
    assert feed_home.fetch().n_records == 1


def test_a_wrong_password_is_named_and_never_shown(
    feed_home: FeedHome, postgres: Postgres, table: str, secret: Callable[[str, str], str]
) -> None:
    feed_home.declare(declared(postgres, table=table))
    for word in ("wr0ng%zz secret@", "wr0ng/secret"):
        secret("PLATFORM_DB_PASSWORD", word)
        run = feed_home.fetch()
        assert run.reason_code == "feed_not_admitted", run
        assert word.encode() not in feed_home.all_bytes
    assert postgres.password.encode() not in feed_home.all_bytes
    feed_home.declare(declared(postgres, table=table, address="postgresql://127.0.0.1:1/postgres"))
    assert feed_home.fetch().reason_code == "feed_unreachable"
    feed_home.declare(declared(postgres, table="platform.nosuch"))
    secret("PLATFORM_DB_PASSWORD", postgres.password)
    run = feed_home.fetch()
    assert run.reason_code == "feed_failing"
    assert "does not exist" in (run.reason_en or "")
