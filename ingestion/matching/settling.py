"""What a match does to the rows of one table: the key it gives, the rows that wait, the account of both.

Belongs here: decisions of `matches.yml`, then the register's own answer, put into mapped records and their values.
Does not belong here: how an answer is found (`linking`), how a waiting row is shown (`tancang queue`).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from ingestion.contracts.identity import digest
from ingestion.contracts.matches import NONE, MatchDecision
from ingestion.layouts.model import TableSpec
from ingestion.mapping import Mapped
from ingestion.matching.names import Region

COLUMNS: dict[str, pl.DataType] = {
    "row_number": pl.Int32(),
    "said_code": pl.String(),
    "said_name": pl.String(),
    "said_region": pl.String(),
    "said_address": pl.String(),
    "match_state": pl.String(),
    "institution_id": pl.String(),
    "matched_name": pl.String(),
    "match_weight": pl.Float64(),
    "agreed": pl.String(),
    "differed": pl.String(),
    "rivals_json": pl.String(),
}
"""`match_state`: `sure`, `declared` (by a line of matches.yml), `none` (by such a line), `waiting`, or `unregistered`: a
code of its own that the register does not have, and no entry that is likelier than not."""
_SAID = {"institution_id": "said_code", "institution_name": "said_name", "region_code": "said_region", "address": "said_address"}  # fmt: skip
_FIELDS = (*_SAID, "former_id", "postcode")
ENTRY_COLUMNS = (
    "institution_id",
    "former_id",
    "institution_name",
    "region_code",
    "address",
    "postcode",
    "parent_id",
)
"""What the register says of an entry."""
_APPLIED = ("sure", "declared")
_WAITING = ("waiting", "none")


@dataclass
class Matching:
    """What a night knows for finding entries: the register, the places, the decisions. Read when a layout asks for it."""

    entries: pl.DataFrame
    regions: tuple[Region, ...]
    decisions: list[MatchDecision]

    @cached_property
    def seal(self) -> str:
        """Digest of everything that a match depends on besides the row and the code."""
        said = self.entries.select(sorted(self.entries.columns)).unique().sort(sorted(self.entries.columns))
        return digest([said.rows(), [(item.code, item.name) for item in self.regions]])

    @cached_property
    def _register(self) -> object:
        from ingestion.matching.linking import Register

        return Register(self.entries, self.regions)

    @cached_property
    def _ids(self) -> frozenset[str]:
        return frozenset(self.entries["institution_id"].drop_nulls().to_list())

    def settle(self, mapped: Mapped, source: str, found_by: list[str]) -> pl.DataFrame:
        """Give every sound record that lacks a key of the register the one it means; the account of all that were asked.

        A record that waits is marked `institution_not_sure` and its values are set aside with it.
        """
        asked = self._asked(mapped.records, found_by)
        if asked.height == 0:
            return pl.DataFrame(schema=COLUMNS)
        answers = self._decided(asked, source)
        rest = asked.join(answers, on="row_number", how="anti")
        account = pl.concat([answers, self._weighed(rest)], how="vertical").sort("row_number")
        _apply(mapped, account)
        return account

    def _asked(self, records: pl.DataFrame, found_by: list[str]) -> pl.DataFrame:
        known = {"institution_id", *found_by}
        said = records.filter(pl.col("problem").is_null()).select(
            "row_number",
            *(
                (
                    pl.col(name).cast(pl.String).str.strip_chars().replace("", None)
                    if name in records.columns and name in known
                    else pl.lit(None, dtype=pl.String)
                ).alias(name)
                for name in _FIELDS
            ),
        )
        return said.filter(~pl.col("institution_id").is_in(sorted(self._ids)).fill_null(False))

    def _decided(self, asked: pl.DataFrame, source: str) -> pl.DataFrame:
        """Rows that a line of matches.yml names. One that means an entry the register does not have names none."""
        lines = {
            item.said: item.means
            for item in self.decisions
            if item.source == source and (item.means == NONE or item.means in self._ids)
        }
        names = dict(self.entries.select("institution_id", "institution_name").iter_rows())
        found = []
        for row in asked.iter_rows(named=True):
            said = tuple(row[name] for name in _SAID)
            means = lines.get(said)
            if means == NONE:
                found.append((row["row_number"], *said, "none", *[None] * 3, "", "", "[]"))
            elif means is not None:
                found.append((row["row_number"], *said, "declared", means, names[means], None, "", "", "[]"))
        return pl.DataFrame(found, schema=COLUMNS, orient="row")

    def _weighed(self, asked: pl.DataFrame) -> pl.DataFrame:
        if asked.height == 0:
            return pl.DataFrame(schema=COLUMNS)
        from ingestion.matching.linking import Register

        assert isinstance(self._register, Register)
        rows = asked.with_columns(row_id=pl.col("row_number").cast(pl.Int64))
        matches = self._register.match(rows).with_columns(row_number=pl.col("row_id").cast(pl.Int32))
        possible = self._register.model.possible_weight
        has_code = pl.col("said_code").is_not_null()
        return (
            asked.rename(_SAID)
            .join(matches, on="row_number", how="left", maintain_order="left")
            .with_columns(
                match_state=pl.when("is_sure")
                .then(pl.lit("sure"))
                .when(has_code & (pl.col("match_weight").fill_null(-math.inf) < possible))
                .then(pl.lit("unregistered"))
                .otherwise(pl.lit("waiting")),
                agreed=pl.col("agreed").list.join(", "),
                differed=pl.col("differed").list.join(", "),
                rivals_json=pl.Series(
                    [
                        json.dumps(rivals, ensure_ascii=False)
                        for rivals in matches.sort("row_id")["rivals"].to_list()
                    ],
                    dtype=pl.String,
                ),
            )
            .select(pl.col(name).cast(kind) for name, kind in COLUMNS.items())
        )


def of_table(mapped: Mapped, source: str, spec: TableSpec, matching: Matching | None) -> pl.DataFrame:
    """The account of one table; its records know afterwards which entry they mean. Empty where no layout asks."""
    if not spec.institution_found_by:
        return pl.DataFrame(schema=COLUMNS)
    known = matching or Matching(pl.DataFrame(schema=dict.fromkeys(ENTRY_COLUMNS, pl.String)), (), [])
    return known.settle(mapped, source, list(spec.institution_found_by))


def decisions_of(matching: Matching | None, source: str) -> list[dict[str, object]]:
    """The lines of matches.yml that a source's rows were made with."""
    return [item.model_dump() for item in matching.decisions if item.source == source] if matching else []


def notes(matches: pl.DataFrame) -> pl.DataFrame:
    """A note for each record that was given its key."""
    return matches.filter(pl.col("match_state").is_in(_APPLIED)).select(
        "row_number",
        found=pl.concat_str(
            pl.coalesce("said_name", "said_code", "said_address"),
            pl.lit(" → "),
            "institution_id",
            pl.lit(" "),
            "matched_name",
            ignore_nulls=True,
        ),
        note_code=pl.lit("institution_matched"),
        text_zh=pl.lit("该行没有名录库代码, 按名称等匹配到机构"),
        text_en=pl.lit("the line has no key of the register; matched to an institution by what else it says"),
    )


def _apply(mapped: Mapped, account: pl.DataFrame) -> None:
    means = account.select(
        "row_number",
        means=pl.when(pl.col("match_state").is_in(_APPLIED)).then("institution_id"),
        waits=pl.col("match_state").is_in(_WAITING),
        named=pl.coalesce("said_name", "said_code", "said_address"),
    )
    mapped.records = (
        _with_key(mapped.records)
        .join(means, on="row_number", how="left", maintain_order="left")
        .with_columns(
            institution_id=pl.coalesce("means", "institution_id"),
            problem=pl.when(pl.col("waits").fill_null(False))
            .then(pl.lit("institution_not_sure"))
            .otherwise("problem"),
            problem_found=pl.when(pl.col("waits").fill_null(False)).then("named").otherwise("problem_found"),
        )
        .drop("means", "waits", "named")
    )
    if mapped.values.height:
        mapped.values = (
            _with_key(mapped.values)
            .join(means, on="row_number", how="left", maintain_order="left")
            .filter(~pl.col("waits").fill_null(False))
            .with_columns(institution_id=pl.coalesce("means", "institution_id"))
            .drop("means", "waits", "named")
        )


def _with_key(frame: pl.DataFrame) -> pl.DataFrame:
    if "institution_id" in frame.columns:
        return frame
    return frame.with_columns(institution_id=pl.lit(None, dtype=pl.String))
