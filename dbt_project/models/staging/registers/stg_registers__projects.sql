with

landed as (
    select * from {{ source('registers', 'registers__projects') }}
),

files as (
    select * from {{ ref('stg_control__files') }}
),

units as (
    select * from {{ ref('unit_conversions') }}
),

final as (
    select
        ---------- ids
        landed.file_id,
        landed.project_id,
        landed.institution_id,
        landed.building_code,

        ---------- place
        files.path,
        landed.sheet,
        landed.row_number,

        ---------- texts
        landed.project_name,
        landed.project_kind,
        landed.project_status,
        landed.snapshot_scope,

        ---------- amounts
        landed.n_charging_piles,
        {{ measured('investment') }} as investment_cny,
        {{ measured('capacity') }} as capacity_kw,
        {{ measured('annual_energy_saving') }} as annual_energy_saving_kgce,
        {{ measured('annual_electricity') }} as annual_electricity_kwh,

        ---------- dates
        landed.started_on,
        landed.completed_on,
        landed.valid_from,
        landed.valid_to,
        landed.as_of,

        ---------- booleans
        {{ measured_has_lost_digits('investment') }}
            or {{ measured_has_lost_digits('capacity') }}
            or {{ measured_has_lost_digits('annual_energy_saving') }}
            or {{ measured_has_lost_digits('annual_electricity') }} as has_lost_digits
    from landed
    inner join files on landed.file_id = files.file_id
    {{ join_units({'investment': 'CNY', 'capacity': 'kW', 'annual_energy_saving': 'kgce', 'annual_electricity': 'kWh'}) }}
)

select * from final
