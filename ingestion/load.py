"""One sealed file becomes raw rows, quarantine, notes and its line in the row ledger.

Belongs here: recognise → map → correct → validate → account, for one file and without any database.
Does not belong here: writing (`raw`), sealing (`archive`), figures (dbt).
"""

from __future__ import annotations

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial

import pandera.polars as pa
import polars as pl

from ingestion import account, counting, file_names, mending, spans
from ingestion.account import Delivery
from ingestion.checks import HELPERS, failures, with_keys
from ingestion.contracts.codes import CodeMapping
from ingestion.contracts.corrections import Correction
from ingestion.contracts.identity import digest
from ingestion.contracts.messages import Message, Refusal
from ingestion.layouts.model import Layout, TableSpec
from ingestion.mapping import Mapped, apply
from ingestion.matching import settling
from ingestion.quarantine import NOTE_COLUMNS, QUARANTINE_COLUMNS
from ingestion.recognition import Reading, recognise
from ingestion.reference import Reference
from ingestion.resting import AtRest
from ingestion.sources import item_family, raw_tables
from ingestion.surroundings import around
from ingestion.tables import SetAside, Table


@dataclass
class Rules:
    """Everything besides the bytes that decides how a file loads."""

    layouts: list[Layout]
    reference: Reference
    corrections: list[Correction] = field(default_factory=list)
    codes: list[CodeMapping] = field(default_factory=list)
    register: frozenset[str] = frozenset()
    matching: settling.Matching | None = None
    register_decides_from_edition: str = "2025"
    _schemas: dict[str, dict[str, pa.DataFrameSchema]] = field(default_factory=dict)

    def schema(self, source: str, target: str) -> pa.DataFrameSchema:
        """The schema of a raw table, built once per source."""
        return self.schemas(source)[target]

    def schemas(self, source: str) -> dict[str, pa.DataFrameSchema]:
        if source not in self._schemas:
            self._schemas[source] = raw_tables(source, self.reference)
        return self._schemas[source]

    def register_decides(self, layout: Layout, target: str) -> bool:
        """Whether a form's edition counts only institutions of the register (definition 7)."""
        edition = re.match(r"\d{4}", layout.edition)
        is_report = layout.source == "direct_report" and target == "values"
        return is_report and edition is not None and edition.group() >= self.register_decides_from_edition

    def register_seal(self, layout: Layout) -> str | None:
        """Digest of the register for a layout whose records it decides about, None for the others."""
        if self.matching is not None and any(spec.institution_found_by for spec in layout.tables):
            return self.matching.seal
        decides = any(self.register_decides(layout, layout.target_of(spec)) for spec in layout.tables)
        return self._register_digest if decides else None

    @cached_property
    def _register_digest(self) -> str:
        return digest(sorted(self.register))


@dataclass
class Loaded:
    """The account of one file. `refusal` is set when the file as a whole could not be used."""

    delivery: Delivery
    layout: Layout | None = None
    refusal: Refusal | None = None
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)
    """Raw rows by target."""
    records: pl.DataFrame = field(default_factory=pl.DataFrame)
    quarantine: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=QUARANTINE_COLUMNS))
    notes: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=NOTE_COLUMNS))
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    applied: Counter[str] = field(default_factory=Counter)
    settled: Counter[mending.CodeKey] = field(default_factory=Counter)
    matches: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=settling.COLUMNS))
    n_value_cells: dict[str, int] = field(default_factory=dict)
    """Cells of the file that gave at least one value or reading, by target, as counted when it was mapped."""
    at_rest: dict[str, AtRest] = field(default_factory=dict)
    """Targets whose rows are written already; their table is then empty."""

    @property
    def rows(self) -> pl.DataFrame:
        """Rows of the layout's own target."""
        return self.tables.get(self.layout.target, pl.DataFrame()) if self.layout else pl.DataFrame()

    @property
    def n_rows(self) -> int:
        n_at_rest = sum(item.n_rows for item in self.at_rest.values())
        return n_at_rest + sum(frame.height for frame in self.tables.values())


def load(delivery: Delivery, data: bytes, rules: Rules) -> Loaded:
    """Read one file as far as it can be read. Never raises for what the file says."""
    try:
        reading = recognise(data, delivery.path, delivery.source, rules.layouts)
        refuse_nothing(
            reading.layout, sum(table.frame.height + len(table.broken) for _, table in reading.tables)
        )
        with ThreadPoolExecutor(1) as beside:
            # the second count waits for nothing but the layout, and needs another core
            n_read = beside.submit(_counted_again, reading.layout, data)
            parts = [
                load_table(delivery, reading, spec_table, rules) for spec_table in range(len(reading.tables))
            ]
            return _whole(delivery, reading, n_read.result(), parts)
    except Refusal as refusal:
        return Loaded(delivery, refusal=refusal)
    except Exception as error:  # a file must never end the night: what no reader foresaw is a refusal too
        return Loaded(delivery, refusal=unforeseen(error))
    except BaseException as error:
        # a parser written in Rust that gives up raises what is no Exception
        if type(error).__name__ != "PanicException":
            raise
        return Loaded(delivery, refusal=unforeseen(RuntimeError(str(error))))


def refuse_nothing(layout: Layout, n_records: int) -> None:
    """A meter export with a header alone is a failed export, not a meter that used nothing."""
    if layout.target == "readings" and n_records == 0:
        raise Refusal(
            "no_records",
            Message("文件只有表头, 没有任何读数", "the file has a header and no readings"),
            Message("请确认导出的时段后重新导出", "look at the period of the export and export it again"),
        )


def unforeseen(error: Exception) -> Refusal:
    return Refusal(
        "unreadable",
        Message(
            f"文件无法读取 ({type(error).__name__}: {error})",
            f"the file cannot be read ({type(error).__name__}: {error})",
        ),
        Message(
            "请重新导出; 仍不行时把该文件交给维护者",
            "export it again; if that does not help hand the file to the maintainers",
        ),
    )


@dataclass
class Part:
    target: str
    rows: pl.DataFrame
    records: pl.DataFrame
    quarantine: list[pl.DataFrame]
    notes: list[pl.DataFrame]
    counts: Counter[str]
    applied: Counter[str]
    settled: Counter[mending.CodeKey]
    matches: pl.DataFrame


def load_table(delivery: Delivery, reading: Reading, number: int, rules: Rules) -> Part:
    spec, table = reading.tables[number]
    layout = reading.layout
    target = layout.target_of(spec)
    schema = rules.schema(layout.source, target)
    types = {name: column.dtype.type for name, column in schema.columns.items()}
    mapped = apply(table, spec, around(delivery.path, reading, spec, table), types)
    matches = settling.of_table(mapped, layout.source, spec, rules.matching)
    if rules.register_decides(layout, target) and "institution_id" in mapped.records.columns:
        outside = pl.col("problem").is_null() & ~pl.col("institution_id").is_in(sorted(rules.register))
        mapped.records = mapped.records.with_columns(
            problem=pl.when(outside).then(pl.lit("not_in_register")).otherwise("problem"),
            problem_found=pl.when(outside).then(pl.col("institution_id")).otherwise("problem_found"),
        )
        bad = mapped.records.filter(pl.col("problem") == "not_in_register")["row_number"].to_list()
        if bad and mapped.values.height:
            mapped.values = mapped.values.filter(~pl.col("row_number").is_in(bad))
    if target == "readings":
        _without_reading(mapped, table, spec)
    rows = mapped.values if target in account.CELLS else mapped.records.filter(pl.col("problem").is_null())
    rows, applied, settled = _shaped(rows, delivery, layout, spec, table, rules)
    keys = partial(_with_keys, layout=layout, rules=rules)
    broken = _unless_net(failures(schema, rows, keys).drop_nulls("index"), rows, mapped)
    if layout.readings is not None and layout.readings.admits_negatives:
        # landed as read: whether it counts is decided beside it, by the rule that the layout names
        is_admitted = (pl.col("check") == "negative_amount") & (pl.col("column") == "number_text")
        broken = broken.filter(~is_admitted)
    good, refused = _parted(rows, broken)
    place = account.Place(delivery, layout, spec, table)
    records = account.records(mapped, refused, place)
    return Part(
        target=target,
        rows=good,
        applied=applied,
        settled=settled,
        records=records,
        quarantine=[
            account.quarantined_records(mapped, place),
            account.quarantined_cells(refused, place),
        ],
        notes=[
            account.unknown_columns(mapped, place),
            account.filled_cells(place),
            account.rejoined_rows(place),
            account.repeated_records(place),
            account.net_amounts(good, mapped, place),
            account.rounded_readings(good, place),
            file_names.otherwise(good, mapped, place),
            account.noted(settling.notes(matches), place),
        ],
        matches=matches,
        counts=account.counts(mapped, records, place),
    )


def _with_keys(rows: pl.DataFrame, layout: Layout, rules: Rules) -> pl.DataFrame:
    return with_keys(rows, item_family(layout.source, layout.form), layout.edition, rules.reference)


def _parted(rows: pl.DataFrame, broken: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows that break nothing, and the others with the first check that each breaks."""
    if broken.height == 0:
        reasons = pl.DataFrame(schema={"check": pl.String, "column": pl.String})
        return rows, pl.concat([rows.clear().with_row_index("index"), reasons], how="horizontal")
    first = broken.group_by("index", maintain_order=True).agg(pl.col("check", "column").first())
    indexed = rows.with_row_index("index").with_columns(pl.col("index").cast(pl.Int32))
    refused = indexed.join(
        first.with_columns(pl.col("index").cast(pl.Int32)), on="index", how="inner", maintain_order="left"
    )
    good = indexed.join(refused.select("index"), on="index", how="anti", maintain_order="left").drop("index")
    return good, refused


def _unless_net(broken: pl.DataFrame, rows: pl.DataFrame, mapped: Mapped) -> pl.DataFrame:
    """The broken checks without the sign of amounts that the layout calls net."""
    if not mapped.net_columns:
        return broken
    column = rows["column_number"].gather(broken["index"])
    is_net = (broken["check"] == "negative_amount") & column.is_in(mapped.net_columns)
    return broken.filter(~is_net)


def _without_reading(mapped: Mapped, table: Table, spec: TableSpec) -> None:
    """A record of readings that holds none says nothing, not zero: it is quarantined, so that it is seen.

    Where a reading ends at the next one, the last says only where its forerunner ends; if it holds a reading
    nobody knows of which span.
    """
    given: pl.Series | list[int] = mapped.values["row_number"].unique() if mapped.values.height else []
    if spec.ends_at_next:
        last = pl.col("problem").is_null() & pl.col("ends_at").is_null()
        marks = mapped.records.filter(last & ~pl.col("row_number").is_in(given))
        table.set_aside += [
            SetAside(row, n_cells, "the end of the last span", True)
            for row, n_cells in marks.select("row_number", "n_cells").iter_rows()
        ]
        mapped.records = mapped.records.join(marks, on="row_number", how="anti", maintain_order="left")
        mapped.records = mapped.records.with_columns(
            problem=pl.when(last).then(pl.lit("missing_ends_at")).otherwise("problem")
        )
        if mapped.values.height:
            mapped.values = mapped.values.filter(pl.col("ends_at").is_not_null())
    nothing = pl.col("problem").is_null() & ~pl.col("row_number").is_in(given)
    mapped.records = mapped.records.with_columns(
        problem=pl.when(nothing).then(pl.lit("missing_reading")).otherwise("problem")
    )


def _shaped(
    rows: pl.DataFrame,
    delivery: Delivery,
    layout: Layout,
    spec: TableSpec,
    table: Table,
    rules: Rules,
) -> tuple[pl.DataFrame, Counter[str], Counter[mending.CodeKey]]:
    """The columns of the raw table, in its order."""
    target = layout.target_of(spec)
    schema = rules.schema(layout.source, target)
    constants: dict[str, str | None] = {
        "file_id": delivery.file_id,
        "layout_id": layout.id,
        "layout_family": layout.family or layout.id,
        "record_kind": layout.record_kind,
        "form_code": layout.form,
        "edition": layout.edition,
        "sheet": table.sheet,
        "institution_id_scheme": layout.institution_id_scheme,
        "reading_kind": layout.reading_kind,
    }
    present = rows.columns if rows.width else []
    rows = rows if rows.width else pl.DataFrame(schema={"row_number": pl.Int32})
    rows = rows.with_columns(
        [
            pl.lit(value, dtype=pl.String).alias(name)
            for name, value in constants.items()
            if name in schema.columns and name not in present
        ]
    )
    if target == "readings":
        rows = rows.with_columns(line=pl.col("row_number").cast(pl.Int64))
        rows = spans.passes(spans.complete(rows, spec), spec)
        if "multiplier" not in rows.columns:
            rows = rows.with_columns(multiplier=pl.lit("1"))
        rows = rows.with_columns(multiplier=pl.col("multiplier").fill_null("1"))
    if "year_starts_on" in schema.columns and "year_starts_on" not in rows.columns:
        rows = rows.with_columns(year_starts_on=pl.lit("01-01"))
    rows, settled = mending.settle_codes(rows, layout.source, layout.form, rules.codes, list(schema.columns))
    applied: Counter[str] = Counter()
    if rows.height and "corrected_number_text" in schema.columns:
        rows, applied = mending.correct_values(rows, layout.source, layout.form, rules.corrections)
    elif rows.height and target == "readings":
        rows, applied = mending.correct_meters(rows, layout.source, rules.corrections)
    rows = rows.with_columns(
        pl.lit(None, dtype=column.dtype.type).alias(name)
        for name, column in schema.columns.items()
        if name not in rows.columns and name not in HELPERS
    )
    if "number_text" in schema.columns:
        used = (
            pl.coalesce("corrected_number_text", "number_text")
            if "corrected_number_text" in rows.columns
            else pl.col("number_text")
        )
        # what is no number is judged, and shown, as the file has it
        as_found = pl.coalesce("value_text", pl.lit("?")) if target == "readings" else pl.lit("?")
        rows = rows.with_columns(number_text=pl.when(used.is_null()).then(as_found).otherwise("number_text"))
    return rows.select([name for name in schema.columns if name not in HELPERS]), applied, settled


def _counted_again(layout: Layout, data: bytes) -> dict[str, int]:
    # records of several kinds, or of a path with conditions, have no name of their own to be counted by
    path = layout.tables[0].records or ""
    element = path.split("/")[-1] if len(layout.tables) == 1 and "[" not in path else None
    return counting.count(data, layout.kind, element, layout.separator)


def _whole(delivery: Delivery, reading: Reading, n_read: dict[str, int], parts: list[Part]) -> Loaded:
    layout = reading.layout
    total: Counter[str] = sum((part.counts for part in parts), Counter())
    claimed = {table.sheet for _, table in reading.tables}
    unclaimed = [sheet for sheet in reading.sheets if sheet.name not in claimed]
    if layout.kind == "workbook":
        total["cell_ignored"] += sum(sheet.n_cells for sheet in unclaimed)
    if not layout.counts_cells:
        n_read.pop("cell", None)
    counts = {
        unit: {
            "n_read": n,
            **{f"n_{end}": total[f"{unit}_{end}"] for end in ("loaded", "quarantined", "ignored")},
        }
        for unit, n in n_read.items()
    }
    tables = {
        target: pl.concat([part.rows for part in parts if part.target == target], how="vertical")
        for target in dict.fromkeys(part.target for part in parts)
    }
    return Loaded(
        delivery,
        layout,
        tables=tables,
        n_value_cells=_value_cells(layout, tables),
        records=pl.concat([part.records for part in parts], how="vertical"),
        quarantine=pl.concat([frame for part in parts for frame in part.quarantine], how="vertical"),
        notes=pl.concat(
            [
                *(frame for part in parts for frame in part.notes),
                account.unknown_sheets(unclaimed, delivery, layout),
                account.hidden_sheets(
                    [sheet for sheet in reading.sheets if sheet.name in claimed], delivery, layout
                ),
            ],
            how="vertical",
        ),
        counts=counts,
        applied=sum((part.applied for part in parts), Counter()),
        settled=sum((part.settled for part in parts), Counter()),
        matches=pl.concat([part.matches for part in parts], how="vertical"),
    )


def _value_cells(layout: Layout, tables: dict[str, pl.DataFrame]) -> dict[str, int]:
    return {
        target: account.n_value_cells(rows, target)
        for target, rows in tables.items()
        if target in account.CELLS and layout.counts_cells
    }
