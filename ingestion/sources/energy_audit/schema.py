"""Raw tables of energy audits (能源审计): value cells, and the buildings, meters, equipment and measures they list."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from ingestion import checks
from ingestion.reference import Reference


def item_family(form: str) -> str:
    """Audits name media, whatever the form of the workbook."""
    return "audit"


def raw_tables(reference: Reference) -> dict[str, pa.DataFrameSchema]:
    """`values`: one row per value cell; `bills`: one row per bill of a meter;
    the others one row per line. Each knows the release of the report it is of."""

    def of(columns: dict[str, pa.Column]) -> pa.DataFrameSchema:
        return pa.DataFrameSchema({**_PLACE, **columns, **_release()})

    return {
        "values": of(
            {
                "layout_id": checks.text(),
                "column_number": checks.integer(),
                "year": checks.year(),
                "period_kind": checks.text(),
                "period_index": checks.integer(),
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
        "buildings": of(
            {
                "building_code": checks.text(),
                "building_name": checks.text(),
                "building_function": checks.text(),
                "built_year": checks.integer(),
                "structure_type": checks.text(),
                "wall_type": checks.text(),
                "wall_insulation_type": checks.text(),
                "window_type": checks.text(),
                "glass_type": checks.text(),
                "frame_type": checks.text(),
                "air_conditioning_type": checks.text(),
                "heating_type": checks.text(),
                **checks.measured("floor_area", "m2", reference),
                **checks.measured("air_conditioned_area", "m2", reference),
                **checks.measured("heated_area", "m2", reference),
            }
        ),
        "meters": of(
            {
                "meter_id": checks.text(),
                "meter_name": checks.text(),
                "carrier": checks.text(),
                "meter_level": checks.integer(),
                "accuracy_class": checks.text(),
                "multiplier": checks.amount(),
                "building_code": checks.text(),
                "location": checks.text(),
                "calibrated_on": pa.Column(pl.Date, nullable=True),
            }
        ),
        "equipment": of(
            {
                "equipment_id": checks.text(),
                "equipment_name": checks.text(),
                "equipment_kind": checks.text(),
                "equipment_model": checks.text(),
                "n_units": checks.integer(),
                "efficiency_grade": checks.text(),
                "installed_year": checks.integer(),
                "location": checks.text(),
                **checks.measured("rated_power", "kW", reference),
                **checks.measured("annual_hours", "h", reference),
            }
        ),
        "measures": of(
            {
                "table_code": checks.text(),
                "measure_number": checks.integer(),
                "measure_name": checks.text(),
                "measure_kind": checks.text(),
                "measure_status": pa.Column(
                    pl.String, checks.one_of(MEASURE_STATES, "bad_measure_status"), nullable=True
                ),
                "implemented_year": checks.integer(),
                **checks.measured("investment", "CNY", reference),
                **checks.measured("energy_saving", "kgce", reference),
                **checks.measured("electricity_saving", "kWh", reference),
                **checks.measured("cost_saving", "CNY", reference),
                **checks.measured("emissions_saving", "tCO2", reference),
            }
        ),
    }


MEASURE_STATES = ["done", "potential", "planned"]

_PLACE = {
    "file_id": checks.text(),
    "sheet": checks.text(),
    "row_number": checks.integer(),
    "institution_id": checks.text(),
    "institution_name": checks.text(),
}


def _release() -> dict[str, pa.Column]:
    """Which release of the report of which year a line is of; where a report says nothing of it, null."""
    return {
        "audit_year": checks.integer(),
        "release_number": checks.integer(),
        "released_on": pa.Column(pl.Date, nullable=True),
        "release_status": pa.Column(
            pl.String, checks.one_of(["draft", "final"], "bad_release_status"), nullable=True
        ),
    }
