"""Raw tables of the metering platform (能耗监测): buildings as text, readings typed (they rest in Parquet)."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from ingestion import checks, readings, resting
from ingestion.reference import Reference


def item_family(form: str) -> str:
    """Sub-item codes are those of the national guideline in every upload."""
    return "metering"


def raw_tables(reference: Reference) -> dict[str, pa.DataFrameSchema]:
    """`buildings`: one row per Build element. `readings`: one row per interval or register reading.

    Readings are validated as text here and typed afterwards (amount DECIMAL(18,4), multiplier DECIMAL(18,6)).
    """
    return {
        "buildings": pa.DataFrameSchema(
            {
                "file_id": checks.text(),
                "sheet": checks.text(),
                "row_number": checks.integer(),
                "building_code": checks.text(),
                "building_name": checks.text(),
                "building_class_code": checks.text(),
                "owner_name": checks.text(),
                "region_code": checks.text(),
                "floor_area_text": checks.amount(),
                "floor_area_unit": checks.text(),
                "built_year_text": checks.text(),
                "air_conditioning_type_code": checks.text(),
                "heating_type_code": checks.text(),
                "structure_type_code": checks.text(),
                "wall_material_code": checks.text(),
                "wall_insulation_code": checks.text(),
                "window_type_code": checks.text(),
                "glass_type_code": checks.text(),
                "window_frame_code": checks.text(),
                "air_conditioned_area_text": checks.amount(),
                "heated_area_text": checks.amount(),
                "body_shape_text": checks.amount(),
                "floors_above_text": checks.text(),
                "floors_below_text": checks.text(),
                "node_code": checks.text(),
                "attribute_dialect": checks.text(),
            }
        ),
        "readings": pa.DataFrameSchema(
            {
                "file_id": checks.text(),
                "line": pa.Column(pl.Int64, nullable=True),
                "column_number": checks.integer(),
                "building_code": checks.text(),
                "meter_id": checks.text(),
                "item_code": checks.text(),
                "reading_kind": checks.text(),
                "starts_at": pa.Column(pl.Datetime("us"), nullable=True),
                "ends_at": pa.Column(pl.Datetime("us"), nullable=True),
                "is_second_pass": pa.Column(pl.Boolean, nullable=True),
                "number_text": checks.amount(),
                "unit_text": checks.text(),
                "multiplier": checks.amount(),
                "replaced_final": checks.amount(),
                "replaced_start": checks.amount(),
                **checks.keys(reference),
            },
            metadata=resting.rests(readings.COLUMNS),
        ),
    }
