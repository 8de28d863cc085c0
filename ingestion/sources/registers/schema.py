"""Raw tables of the registers (名录库): what each line of a register says, with the day that the register is of."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from ingestion import checks
from ingestion.reference import Reference


def raw_tables(reference: Reference) -> dict[str, pa.DataFrameSchema]:
    """One row per record of each register; `as_of` is the day of the snapshot, null where a file names none."""

    def of(columns: dict[str, pa.Column]) -> pa.DataFrameSchema:
        return pa.DataFrameSchema({**_PLACE, **columns, **_dates()})

    return {
        "institutions": of(
            {
                "institution_id": checks.text(),
                "institution_id_scheme": checks.text(),
                "institution_name": checks.text(),
                "former_id": checks.text(),
                "address": checks.text(),
                "postcode": checks.text(),
                "institution_type_code": checks.text(),
                "region_code": checks.text(),
                "parent_id": checks.text(),
                "merged_into_id": checks.text(),
                "split_from_id": checks.text(),
                "administrative_level": checks.text(),
                "is_key_energy_user": checks.flag(),
                **checks.measured("floor_area", "m2", reference),
                "persons_text": checks.amount(),
            }
        ),
        "buildings": of(
            {
                "building_code": checks.text(),
                "building_name": checks.text(),
                "building_class_code": checks.text(),
                "owner_kind": checks.text(),
                "institution_id": checks.text(),
                "region_code": checks.text(),
                **checks.measured("floor_area", "m2", reference),
            }
        ),
        "meters": of(
            {
                "meter_id": checks.text(),
                "meter_name": checks.text(),
                "building_code": checks.text(),
                "institution_id": checks.text(),
                "item_code": pa.Column(
                    pl.String,
                    checks.one_of(_codes(reference, "metering"), "unknown_item_code"),
                    nullable=True,
                ),
                "meter_kind": checks.text(),
                "meter_level": pa.Column(pl.Int32, checks.one_of([1, 2, 3], "bad_meter_level"), nullable=True),
                "parent_meter_id": checks.text(),
                "sign": pa.Column(pl.Int32, checks.one_of([1, -1], "bad_sign"), nullable=True),
                "multiplier": checks.amount(),
                "register_digits": pa.Column(
                    pl.Int32, pa.Check.in_range(1, 18, error="bad_register_digits"), nullable=True
                ),
            }
        ),
        "meter_provision": of(
            {
                "institution_id": checks.text(),
                "year": checks.year(),
                "carrier": checks.text(),
                "meter_level": pa.Column(pl.Int32, checks.one_of([1, 2, 3], "bad_meter_level"), nullable=True),
                "n_meters_required": _count(),
                "n_meters_fitted": _count(),
            }
        ),
        "vehicles": of(
            {
                "vehicle_id": checks.text(),
                "institution_id": checks.text(),
                "vehicle_kind": checks.text(),
                "fuel": checks.text(),
                "is_new_energy": checks.flag(),
            }
        ),
        "data_rooms": of(
            {
                "room_id": checks.text(),
                "room_name": checks.text(),
                "institution_id": checks.text(),
                "building_code": checks.text(),
                "n_cabinets": checks.integer(),
                **checks.measured("floor_area", "m2", reference),
                **checks.measured("power", "kW", reference),
            }
        ),
        "projects": of(
            {
                "project_id": checks.text(),
                "project_name": checks.text(),
                "project_kind": pa.Column(
                    pl.String, checks.one_of(PROJECT_KINDS, "bad_project_kind"), nullable=True
                ),
                "project_status": checks.text(),
                "institution_id": checks.text(),
                "building_code": checks.text(),
                "started_on": pa.Column(pl.Date, nullable=True),
                "completed_on": pa.Column(pl.Date, nullable=True),
                "n_charging_piles": checks.integer(),
                **checks.measured("investment", "CNY", reference),
                **checks.measured("capacity", "kW", reference),
                **checks.measured("annual_energy_saving", "kgce", reference),
                **checks.measured("annual_electricity", "kWh", reference),
            }
        ),
        "green_power": of(
            {
                "green_power_id": checks.text(),
                "institution_id": checks.text(),
                "document_kind": pa.Column(
                    pl.String,
                    checks.one_of(["certificate", "settlement"], "bad_document_kind"),
                    nullable=True,
                ),
                "document_no": checks.text(),
                "trade_type": pa.Column(
                    pl.String, checks.one_of(TRADE_TYPES, "bad_trade_type"), nullable=True
                ),
                "generation_region_code": checks.text(),
                **checks.measured("volume", "kWh", reference),
                **checks.measured("document_volume", "kWh", reference),
                "period_starts_on": pa.Column(pl.Date, nullable=True),
                "period_ends_on": pa.Column(pl.Date, nullable=True),
                "document_status": pa.Column(
                    pl.String, checks.one_of(DOCUMENT_STATES, "bad_document_status"), nullable=True
                ),
            }
        ),
    }


TRADE_TYPES = ["intra_provincial", "inter_provincial", "certificate_only"]
DOCUMENT_STATES = ["valid", "pending", "revoked", "expired"]
PROJECT_KINDS = ["energy_saving", "photovoltaic", "ev_charging", "retrofit", "contract_energy"]

_PLACE = {"file_id": checks.text(), "sheet": checks.text(), "row_number": checks.integer()}


def _dates() -> dict[str, pa.Column]:
    """When a line holds as the register itself says, and the snapshot that it stands in."""
    return {
        "valid_from": pa.Column(pl.Date, nullable=True),
        "valid_to": pa.Column(pl.Date, nullable=True),
        "as_of": pa.Column(pl.Date, nullable=True),
        "snapshot_scope": checks.text(),
    }


def _count() -> pa.Column:
    return pa.Column(pl.Int32, pa.Check.ge(0, error="negative_amount"), nullable=True)


def _codes(reference: Reference, family: str) -> list[str]:
    return sorted(code for of, code in reference.items if of == family)
