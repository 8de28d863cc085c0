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
        landed.row_number,

        ---------- texts
        landed.building_name,
        landed.building_class_code,
        landed.owner_kind,
        landed.region_code,

        ---------- amounts
        {{ converted('try_cast(landed.floor_area_text as decimal(18,6))', 'units.multiplier') }} as floor_area_m2
    from landed
    inner join files on landed.file_id = files.file_id
    left join units
        on landed.floor_area_unit = units.unit_text
        and units.canonical_unit = 'm2'
)

select * from final
