with

landed as (
    select * from {{ source('registers', 'registers__data_rooms') }}
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
        landed.room_id,
        landed.institution_id,
        landed.building_code,

        ---------- place
        files.path,
        landed.sheet,
        landed.row_number,

        ---------- texts
        landed.room_name,
        landed.snapshot_scope,

        ---------- amounts
        landed.n_cabinets,
        {{ measured('floor_area') }} as floor_area_m2,
        {{ measured('power') }} as power_kw,

        ---------- dates
        landed.valid_from,
        landed.valid_to,
        landed.as_of,

        ---------- booleans
        {{ measured_has_lost_digits('floor_area') }}
            or {{ measured_has_lost_digits('power') }} as has_lost_digits
    from landed
    inner join files on landed.file_id = files.file_id
    {{ join_units({'floor_area': 'm2', 'power': 'kW'}) }}
)

select * from final
