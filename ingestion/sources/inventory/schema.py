"""Raw table of district inventories (区级温室气体清单): one row per activity of a region, year and category."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from ingestion import checks
from ingestion.reference import Reference

UNITS = ("GJ", "L", "head", "kWh", "kg", "kgce", "m2", "m3", "person")
"""What activities are counted in. Whether a category can take the unit is asked of its terms."""


def raw_tables(reference: Reference) -> dict[str, pa.DataFrameSchema]:
    """`activities`: which region, year, category and subject; how much, and how well that is known."""
    spellings = sorted({text for unit in UNITS for text in reference.spellings[unit]})
    return {
        "activities": pa.DataFrameSchema(
            {
                "file_id": checks.text(),
                "sheet": checks.text(),
                "row_number": checks.integer(),
                "region_code": checks.text(),
                "year": checks.year(),
                "activity_category": checks.text(),
                "subject": checks.text(),
                "amount_text": checks.amount(),
                "amount_unit": pa.Column(pl.String, checks.one_of(spellings, "unknown_unit"), nullable=True),
                "uncertainty_text": checks.amount(),
                "activity_source": checks.text(),
                "release_number": checks.integer(),
            }
        )
    }
