"""When a reading starts and ends: columns of a day, lengths of intervals, clocks of a zone, marks of an end.

Belongs here: the span of time of each reading, from what the layout says of stamps. Does not belong here:
parsing a stamp's text (`mapping`), what a span is worth in a month (dbt).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC as UTC_ZONE
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

import polars as pl

from ingestion.layouts.model import SlotSpec, TableSpec

UTC = "_utc"
"""Suffix of the column beside a local time whose text said which moment it is: clocks that go back repeat an hour."""


def of_column(slots: SlotSpec, found: re.Match[str], n_matched: int) -> list[pl.Expr]:
    """Start and end of the interval that a column stands for, on the record's day."""
    if slots.named_by == "order":
        start = (n_matched - 1) * slots.minutes
    elif slots.named_by == "number":
        start = (int(found["slot"]) - 1) * slots.minutes
    else:
        hours, minutes = found["time"].split(":")[:2]
        named = int(hours) * 60 + int(minutes)
        start = named if slots.named_by == "start" else (named or 1440) - slots.minutes
    at = pl.col("day").cast(pl.Datetime("us"))
    return [
        (at + pl.duration(minutes=start)).alias("starts_at"),
        (at + pl.duration(minutes=start + slots.minutes)).alias("ends_at"),
    ]


def local(moment: pl.Expr, name: str, zone: str) -> list[pl.Expr]:
    """A moment as the clock of the zone shows it, and in UTC beside it."""
    return [
        moment.dt.convert_time_zone(zone).dt.replace_time_zone(None).alias(name),
        moment.dt.convert_time_zone("UTC").dt.replace_time_zone(None).alias(name + UTC),
    ]


@cache
def repeats_hours(zone: str) -> bool:
    """Whether clocks of the zone are changed in the years that readings come from."""
    months = [
        datetime(year, month, 1, tzinfo=UTC_ZONE) for year in range(2000, 2041) for month in range(1, 13)
    ]
    return len({moment.astimezone(ZoneInfo(zone)).utcoffset() for moment in months}) > 1


def which_pass(stamp: pl.Expr, keys: Sequence[str]) -> pl.Expr:
    """For a clock that shows an hour twice: which of two equal stamps of one meter was first, by their order.

    Files from newest to oldest have the later one first. A stamp that stands once, or three times, says nothing.
    """
    meter = [pl.col(name) for name in keys] or [pl.lit(0)]
    is_first = pl.int_range(pl.len()).over([stamp, *meter]) == 0
    is_descending = (stamp.drop_nulls().first() > stamp.drop_nulls().last()).over(meter)
    return (
        pl.when(pl.len().over([stamp, *meter]) != 2)
        .then(pl.lit("null"))
        .when(is_first != is_descending.fill_null(False))
        .then(pl.lit("earliest"))
        .otherwise(pl.lit("latest"))
    )


def passes(rows: pl.DataFrame, spec: TableSpec) -> pl.DataFrame:
    """True where the clock showed the time of a reading before: its local time alone would make two readings one."""
    for name in ("starts_at", "ends_at"):
        field = spec.fields.get(name)
        if field is not None and field.zone is not None and name + UTC in rows.columns:
            earlier = pl.col(name).dt.replace_time_zone(field.zone, ambiguous="earliest", non_existent="null")
            moment = pl.col(name + UTC).dt.replace_time_zone("UTC")
            is_later = earlier.dt.convert_time_zone("UTC") != moment
            return rows.with_columns(is_second_pass=pl.when(is_later).then(True))
    return rows


def until_the_next(records: pl.DataFrame) -> pl.DataFrame:
    """Each record ends where the next of its meter starts; the last one ends nowhere."""
    by_time = "starts_at" + UTC if "starts_at" + UTC in records.columns else "starts_at"
    keys = [name for name in ("building_code", "meter_id") if name in records.columns]
    following = pl.col("starts_at").shift(-1)
    return records.with_columns(ends_at=following.over(keys or [pl.lit(0)], order_by=[by_time, "row_number"]))


def complete(rows: pl.DataFrame, spec: TableSpec) -> pl.DataFrame:
    """A reading stamped by its start or its end alone gets the other from the length of its interval."""
    minutes = spec.interval_minutes
    length = pl.duration(minutes=minutes) if minutes is not None else None
    if "duration_s" in rows.columns:
        length = pl.duration(seconds=pl.col("duration_s"))
    if length is None:
        return rows
    for known, other, sign in (("starts_at", "ends_at", 1), ("ends_at", "starts_at", -1)):
        if known not in rows.columns or other in rows.columns:
            continue
        field = spec.fields.get(known)
        if field is not None and field.zone is not None:
            moment = pl.col(known + UTC).dt.replace_time_zone("UTC") + sign * length
            return rows.with_columns(local(moment, other, field.zone)[0])
        return rows.with_columns((pl.col(known) + sign * length).alias(other))
    return rows
