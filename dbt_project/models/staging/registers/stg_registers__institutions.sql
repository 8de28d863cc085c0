with

landed as (
    select * from {{ source('registers', 'registers__institutions') }}
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
        coalesce(landed.institution_id_scheme, 'unknown') as institution_id_scheme,
        landed.institution_id,
        landed.parent_id,

        ---------- place
        files.path,
        landed.row_number,

        ---------- texts
        landed.institution_name,
        landed.institution_type_code,
        landed.region_code,
        landed.administrative_level,

        ---------- amounts
        {{ converted('try_cast(landed.floor_area_text as decimal(18,6))', 'units.multiplier') }} as floor_area_m2,
        try_cast(landed.persons_text as decimal(18,4)) as energy_users_persons,

        ---------- dates
        landed.valid_from,
        landed.valid_to
    from landed
    inner join files on landed.file_id = files.file_id
    left join units
        on landed.floor_area_unit = units.unit_text
        and units.canonical_unit = 'm2'
)

select * from final
