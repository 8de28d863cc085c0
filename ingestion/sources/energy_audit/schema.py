"""Raw tables of energy audits (能源审计): every value cell of the workbooks as text, with sheet and cell."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from ingestion import checks
from ingestion.reference import Reference


def item_family(form: str) -> str:
    """Audits name media, whatever the form of the workbook."""
    return "audit"


def raw_tables(reference: Reference) -> dict[str, pa.DataFrameSchema]:
    """`values`: one row per value cell. `bills`: one row per bill of a meter, as the auditor collected them."""
    return {
        "values": pa.DataFrameSchema(
            {
                "file_id": checks.text(),
                "layout_id": checks.text(),
                "sheet": checks.text(),
                "row_number": checks.integer(),
                "column_number": checks.integer(),
                "institution_id": checks.text(),
                "institution_name": checks.text(),
                "year": checks.year(),
                "table_code": checks.text(),
                "item_code": checks.text(),
                "submitted_item_code": checks.text(),
                "value_text": checks.text(),
                "number_text": checks.amount(),
                "unit_text": checks.text(),
                "correction_id": checks.text(),
                "corrected_number_text": checks.text(),
                "corrected_unit_text": checks.text(),
                **checks.keys(reference),
            }
        ),
        "bills": pa.DataFrameSchema(
            {
                "file_id": checks.text(),
                "layout_id": checks.text(),
                "sheet": checks.text(),
                "row_number": checks.integer(),
                "column_number": checks.integer(),
                "building_code": checks.text(),
                "meter_id": checks.text(),
                "starts_at": pa.Column(pl.Datetime("us"), nullable=True),
                "ends_at": pa.Column(pl.Datetime("us"), nullable=True),
                "item_code": checks.text(),
                "value_text": checks.text(),
                "number_text": checks.amount(),
                "unit_text": checks.text(),
                **checks.keys(reference),
            }
        ),
    }
