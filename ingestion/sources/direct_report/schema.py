"""Raw tables of the direct-report platform (能耗直报): every value cell as text, with its place."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from ingestion import checks, resting
from ingestion.reference import Reference


def item_family(form: str) -> str:
    """The same code means different things in different forms: 103 is vehicles in NY201 and persons in NY301."""
    return form


def raw_tables(reference: Reference) -> dict[str, pa.DataFrameSchema]:
    """`values`: one row per value cell of NY201 to NY303; `catalog_item_id` is the room of NY202, the class column of
    the summaries. `institutions`: one row per record of NY101."""
    return {
        "values": pa.DataFrameSchema(
            {
                "file_id": checks.text(),
                "layout_id": checks.text(),
                "layout_family": checks.text(),
                "record_kind": checks.text(),
                "form_code": checks.text(),
                "edition": checks.text(),
                "sheet": checks.text(),
                "row_number": checks.integer(),
                "column_number": checks.integer(),
                "institution_id": checks.text(),
                "institution_id_scheme": checks.text(),
                "institution_name": checks.text(),
                "region_code": checks.text(),
                "institution_type_code": checks.text(),
                "catalog_item_id": checks.text(),
                "year": checks.year(),
                "period_kind": pa.Column(
                    pl.String, checks.one_of(["year", "quarter", "month"], "bad_period"), nullable=False
                ),
                "period_index": checks.integer(optional=False),
                "year_starts_on": checks.text(),
                "task_state": checks.text(),
                "release_number": checks.integer(),
                "item_code": checks.text(),
                "submitted_item_code": checks.text(),
                "value_text": checks.text(),
                "number_text": checks.amount(),
                "unit_text": checks.text(),
                "correction_id": checks.text(),
                "corrected_number_text": checks.text(),
                "corrected_unit_text": checks.text(),
                **checks.keys(reference),
            },
            metadata=resting.rests(),
        ),
        "institutions": pa.DataFrameSchema(
            {
                "file_id": checks.text(),
                "sheet": checks.text(),
                "row_number": checks.integer(),
                "institution_id": checks.text(),
                "institution_id_scheme": checks.text(),
                "institution_name": checks.text(),
                "institution_type_code": checks.text(),
                "industry_code": checks.text(),
                "region_code": checks.text(),
                "address": checks.text(),
                "year": checks.year(),
            }
        ),
    }
