"""Published columns of an institution's year and the NY201 item that each one holds."""

from __future__ import annotations

INSTITUTION_COLUMNS = {
    "floor_area_m2": "101",
    "energy_users_persons": "102",
    "electricity_kwh": "110",
    "natural_gas_m3": "140",
    "coal_t": "130",
    "gasoline_l": "150",
    "gasoline_vehicle_l": "1501",
    "diesel_l": "160",
    "diesel_vehicle_l": "1601",
    "lpg_kg": "104",
    "heat_gj": "170",
    "other_energy_kgce": "180",
    "water_m3": "120",
    "electricity_cost_cny": "111",
    "natural_gas_cost_cny": "141",
    "water_cost_cny": "121",
    "gasoline_cost_cny": "151",
    "diesel_cost_cny": "161",
    "heat_cost_cny": "171",
}
