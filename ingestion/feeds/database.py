"""A table or a query of a PostgreSQL database, read in one read-only transaction and landed as CSV.

Belongs here: the SQL that is asked, batches, what is new by the cursor column. Every column is cast to text by the
server, so that a numeric keeps its digits; a timestamp with time zone is written in UTC.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import adbc_driver_postgresql
import pyarrow as pa
import pyarrow.csv as pa_csv
from adbc_driver_manager import Error as DatabaseError
from adbc_driver_postgresql import dbapi

from ingestion.contracts.messages import Message, Refusal
from ingestion.feeds.declaration import DatabaseFeed
from ingestion.feeds.delivery import Delivery, FeedState, Outbox
from ingestion.feeds.secrets import Secrets

_BATCH_BYTES = 1 << 20
_NUMBERS = {"int2", "int4", "int8", "numeric"}
_MOMENTS = {"date": "current_date", "timestamp": "localtimestamp", "timestamptz": "current_timestamp"}
_CSV = pa_csv.WriteOptions(quoting_style="all_valid", quoting_header="all_valid", include_header=False)


@dataclass(frozen=True)
class _Question:
    """What is asked: `columns` as they land, and the cursor's type when there is one."""

    relation: str
    columns: list[str]
    cursor_type: str | None


def read_database(
    feed: DatabaseFeed, state: FeedState, outbox: Outbox, secrets: Secrets
) -> Iterator[Delivery]:
    """One delivery per `rows_per_file` rows that were not delivered before; a table without cursor is one file."""
    uri = _uri(feed, secrets)
    try:
        with closing(dbapi.connect(uri)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("set transaction isolation level repeatable read, read only")
            # a lock, a missing index or a runaway query must not hold the night, nor the platform
            cursor.execute(f"set local statement_timeout = {int(feed.longest_s * 1000)}")
            cursor.execute(f"set local lock_timeout = {int(feed.timeout_s * 1000)}")
            for setting in ("timezone = 'UTC'", "datestyle = 'ISO, YMD'", "intervalstyle = 'iso_8601'",
                            "bytea_output = 'hex'", "extra_float_digits = 1"):  # fmt: skip
                cursor.execute(f"set local {setting}")
            question = _question(feed, cursor)
            batches = _batches(feed, question, state, cursor, secrets)
            if feed.cursor is None:
                yield from _snapshot(question, state, outbox, batches)
            else:
                yield from _increments(feed, question, state, outbox, batches)
    except DatabaseError as error:
        raise _refusal(error, secrets) from None


def _uri(feed: DatabaseFeed, secrets: Secrets) -> str:
    parts = urlsplit(feed.address)
    user = quote(secrets.value(feed.user_env), safe="") if feed.user_env else ""
    password = f":{quote(secrets.value(feed.password_env), safe='')}" if feed.password_env else ""
    wait_s = max(2, round(feed.timeout_s))
    # a server whose machine died answers nothing at all: only the kernel can tell
    alive = {
        "connect_timeout": wait_s,
        "keepalives_idle": wait_s,
        "keepalives_interval": max(1, wait_s // 3),
        "keepalives_count": 3,
        "tcp_user_timeout": wait_s * 1000,
        "application_name": "tancang",
    }
    query = urlencode([*parse_qsl(parts.query), *alive.items()], quote_via=quote)
    place = f"{user}{password}@{parts.netloc}" if user else parts.netloc
    return urlunsplit(parts._replace(netloc=place, query=query))


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _question(feed: DatabaseFeed, cursor: Any) -> _Question:
    if feed.table is not None:
        relation = ".".join(quoted(part) for part in feed.table.split("."))
    else:
        relation = f"({(feed.query or '').strip().rstrip(';')}\n)"
    cursor.execute(f"select * from {relation} as feed limit 0")
    schema = cursor.fetch_record_batch().schema
    types = {field.name: (field.metadata or {}).get(b"POSTGRESQL:type", b"").decode() for field in schema}
    if len(types) < len(schema):
        raise _wrong(
            "两列同名",
            "two columns have one name",
            "请在 query 中给列起不同的名字",
            "give each column its own name in query",
        )
    if feed.cursor is None:
        return _Question(relation, schema.names, None)
    if feed.cursor not in types:
        raise _wrong(
            f"没有列 {feed.cursor}", f"there is no column {feed.cursor}", "请核对 cursor", "look at cursor"
        )
    kind = types[feed.cursor]
    if kind not in _NUMBERS and kind not in _MOMENTS:
        raise _wrong(
            f"游标列 {feed.cursor} 的类型是 {kind}", f"the cursor column {feed.cursor} is of type {kind}",
            "游标须是整数, numeric, 日期或时间列", "a cursor is an integer, numeric, date or timestamp column",
        )  # fmt: skip
    return _Question(relation, schema.names, kind)


def _wrong(zh: str, en: str, mend_zh: str, mend_en: str) -> Refusal:
    return Refusal("feed_unexpected_answer", Message(zh, en), Message(mend_zh, mend_en))


def _sql(feed: DatabaseFeed, question: _Question, state: FeedState) -> str:
    """Columns as text, then the row's place on the cursor as a number, and where the cursor stands after it.

    A moment that lies in the future (9999-12-31) must not carry the cursor past rows to come: the cursor stops
    at now, and such rows are read again and known by their digest.
    """
    texts = [f"{quoted(name)}::text" for name in question.columns]
    selected = [f"{text} as {quoted(name)}" for text, name in zip(texts, question.columns, strict=True)]
    order = [f'{text} collate "C" nulls first' for text in texts]
    where = ""
    if feed.cursor is not None:
        column = quoted(feed.cursor)
        lower: str | None = None
        if question.cursor_type in _NUMBERS:
            # NaN is greater than every number to come
            capped = f"nullif({column}, 'NaN')" if question.cursor_type == "numeric" else column
            place = position = f"({capped})::text"
            if state.cursor is not None:
                lower = str(Decimal(state.cursor) - feed.overlap)
        else:
            now = _MOMENTS[question.cursor_type or ""]
            # not least(), which takes a missing moment for now
            capped = f"case when {column} > {now} then {now} else {column} end"
            place, position = (f"extract(epoch from {value})::text" for value in (column, capped))
            if state.cursor is not None:
                lower = (
                    f"{_literal(state.cursor)}::{question.cursor_type} - interval '{feed.overlap} seconds'"
                )
        selected += [
            f"{place} as feed_place",
            f"{position} as feed_position",
            f"({capped})::text as feed_reached",
        ]
        order.insert(0, f"{column} nulls first")
        # >=, not >: rows that share the newest moment may come later, and a row without any must not be lost
        where = f" where {column} is null or {column} >= {lower}" if lower is not None else ""
    return f"select {', '.join(selected)} from {question.relation} as feed{where} order by {', '.join(order)}"


def _batches(
    feed: DatabaseFeed, question: _Question, state: FeedState, cursor: Any, secrets: Secrets
) -> Iterator[pa.RecordBatch]:
    hint = adbc_driver_postgresql.StatementOptions.BATCH_SIZE_HINT_BYTES.value
    cursor.adbc_statement.set_options(**{hint: str(_BATCH_BYTES)})
    cursor.execute(_sql(feed, question, state))
    try:
        yield from cursor.fetch_record_batch()
    except (pa.ArrowException, OSError) as error:
        # what the server says in mid-stream comes through Arrow
        raise _refusal(error, secrets) from None


def _increments(
    feed: DatabaseFeed,
    question: _Question,
    state: FeedState,
    outbox: Outbox,
    batches: Iterator[pa.RecordBatch],
) -> Iterator[Delivery]:
    """The rows that were not delivered before, cut into files of a size."""
    turns: Counter[str] = Counter()
    held: list[pa.RecordBatch] = []
    n_held = 0
    reading = _Reading(state, feed.overlap)
    for batch in batches:
        fresh = reading.fresh(batch, len(question.columns), turns)
        while n_held + fresh.num_rows >= feed.rows_per_file:
            taken = feed.rows_per_file - n_held
            # the rows beyond the cut are not yet delivered, so the cursor stays before them
            yield reading.delivery(outbox, question, [*held, fresh.slice(0, taken)])
            held, n_held, fresh = [], 0, fresh.slice(taken)
        held.append(fresh)
        n_held += fresh.num_rows
    if n_held:
        yield reading.delivery(outbox, question, held)


class _Reading:
    """How far one transaction has been read, row by row in the order of the cursor."""

    def __init__(self, state: FeedState, overlap: int) -> None:
        self.state, self._overlap = state, overlap
        self._known = set(state.seen)

    def fresh(self, batch: pa.RecordBatch, n_columns: int, turns: Counter[str]) -> pa.RecordBatch:
        """The rows that were not delivered before, with the key of each as a last column."""
        keys = []
        for row in zip(*(column.to_pylist() for column in batch.columns[:n_columns]), strict=True):
            digest = _row_digest(row)
            turns[digest] += 1
            keys.append(digest if turns[digest] == 1 else f"{digest}.{turns[digest]}")
        wanted = pa.array([key not in self._known for key in keys])
        return batch.append_column("feed_key", pa.array(keys, pa.string())).filter(wanted)

    def delivery(self, outbox: Outbox, question: _Question, batches: list[pa.RecordBatch]) -> Delivery:
        number = self.state.number + 1
        with outbox.stage(f"{number:06d}.csv") as file:
            _write_csv(file, question.columns, batches)
        seen = dict(self.state.seen)
        last, last_text = self.state.position, self.state.cursor
        for batch in batches:
            places, positions, texts, keys = (
                batch.column(name).to_pylist()
                for name in ("feed_place", "feed_position", "feed_reached", "feed_key")
            )
            seen |= dict(zip(keys, places, strict=True))
            for position, text in zip(positions, texts, strict=True):
                if position is not None and (last is None or Decimal(position) > Decimal(last)):
                    last, last_text = position, text
        edge = Decimal(last) - self._overlap if last is not None else None
        self.state = self.state.model_copy(
            update={
                "number": number,
                "cursor": last_text,
                "position": last,
                "seen": {
                    key: place
                    for key, place in seen.items()
                    if place is None or edge is None or Decimal(place) >= edge
                },
            }
        )
        return Delivery([file.staged], self.state, sum(batch.num_rows for batch in batches))


def _snapshot(
    question: _Question, state: FeedState, outbox: Outbox, batches: Iterator[pa.RecordBatch]
) -> Iterator[Delivery]:
    """The whole table under one name: what it holds today replaces what it held before."""
    n_rows = 0

    def counted() -> Iterator[pa.RecordBatch]:
        nonlocal n_rows
        for batch in batches:
            n_rows += batch.num_rows
            yield batch

    with outbox.stage("all.csv") as file:
        _write_csv(file, question.columns, counted())
    if n_rows == 0:
        raise Refusal(
            "feed_empty",
            Message("表中没有任何行; 保留上次的内容", "there is not a single row; what it held last stays"),
            Message("请与数据库管理员核对", "ask who runs the database"),
        )
    if file.staged.sha256 != state.content_sha256:
        after = state.model_copy(update={"number": state.number + 1, "content_sha256": file.staged.sha256})
        yield Delivery([file.staged], after, n_rows)


def _write_csv(file: Any, columns: list[str], batches: Any) -> None:
    """UTF-8, every text in quotes; an empty text is "", a missing one is nothing."""
    schema = pa.schema([(name, pa.string()) for name in columns])
    file.write((",".join(quoted(name) for name in columns) + "\n").encode())
    for batch in batches:
        arrays = [column.cast(pa.string()) for column in batch.columns[: len(columns)]]
        text = pa.BufferOutputStream()
        pa_csv.write_csv(pa.RecordBatch.from_arrays(arrays, schema=schema), text, _CSV)
        file.write(text.getvalue().to_pybytes())


def _row_digest(row: tuple[str | None, ...]) -> str:
    text = "\x1f".join("\x00" if value is None else value for value in row)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _refusal(error: Exception, secrets: Secrets) -> Refusal:
    """What the server said, in its own words and without our password."""
    text = secrets.hidden(" ".join(str(error).split()))
    said = re.sub(r"^\w+: ", "", text)[:300]
    state = getattr(error, "sqlstate", None) or ""
    if state.startswith("28") or "password authentication failed" in text or "no password supplied" in text:
        code = "feed_not_admitted"
    elif "canceling statement due to" in text:
        code = "feed_too_long"
    elif re.search(
        "Failed to connect|closed the connection|terminating connection|connection timed out", text
    ):
        code = "feed_unreachable"
    else:
        code = "feed_failing"
    return Refusal(
        code,
        Message(f"数据库: {said}", f"the database: {said}"),
        Message("请核对地址, 账号权限与表名", "look at the address, the rights of the account and the table"),
    )
