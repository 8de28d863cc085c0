"""Raw tables of the registers (名录库): institutions and buildings as the register says them."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from ingestion import checks
from ingestion.reference import Reference


def raw_tables(reference: Reference) -> dict[str, pa.DataFrameSchema]:
    """`institutions` and `buildings`: one row per record of the register."""
    return {
        "institutions": pa.DataFrameSchema(
            {
                "file_id": checks.text(),
                "sheet": checks.text(),
                "row_number": checks.integer(),
                "institution_id": checks.text(),
                "institution_id_scheme": checks.text(),
                "institution_name": checks.text(),
                "institution_type_code": checks.text(),
                "region_code": checks.text(),
                "parent_id": checks.text(),
                "administrative_level": checks.text(),
                "valid_from": pa.Column(pl.Date, nullable=True),
                "valid_to": pa.Column(pl.Date, nullable=True),
                "floor_area_text": checks.amount(),
                "floor_area_unit": checks.text(),
                "persons_text": checks.amount(),
            }
        ),
        "buildings": pa.DataFrameSchema(
            {
                "file_id": checks.text(),
                "sheet": checks.text(),
                "row_number": checks.integer(),
                "building_code": checks.text(),
                "building_name": checks.text(),
                "building_class_code": checks.text(),
                "owner_kind": checks.text(),
                "institution_id": checks.text(),
                "region_code": checks.text(),
                "floor_area_text": checks.amount(),
                "floor_area_unit": checks.text(),
            }
        ),
    }
