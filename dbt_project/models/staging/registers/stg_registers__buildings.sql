with

landed as (
    select * from {{ source('registers', 'registers__buildings') }}
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
        landed.building_code,
        landed.institution_id,

        ---------- place
        files.path,
        landed.sheet,
        landed.row_number,

        ---------- texts
        landed.building_name,
        landed.building_class_code,
        landed.owner_kind,
        landed.region_code,
        landed.snapshot_scope,

        ---------- amounts
        {{ measured('floor_area') }} as floor_area_m2,

        ---------- dates
        landed.valid_from,
        landed.valid_to,
        landed.as_of,

        ---------- booleans
        {{ measured_has_lost_digits('floor_area') }} as has_lost_digits
    from landed
    inner join files on landed.file_id = files.file_id
    {{ join_units({'floor_area': 'm2'}) }}
)

select * from final
