"""When a reading starts and ends: columns of a day, lengths of intervals, clocks of a zone, marks of an end.

Belongs here: the span of time of each reading, from what the layout says of stamps. Does not belong here:
parsing a stamp's text (`mapping`), what a span is worth in a month (dbt).
"""

from __future__ import annotations

import re

import polars as pl

from ingestion.layouts import SlotSpec, TableSpec

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
        moment.dt.replace_time_zone(None).alias(name + UTC),
    ]


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
