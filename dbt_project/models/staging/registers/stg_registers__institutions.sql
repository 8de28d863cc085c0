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
        landed.merged_into_id,
        landed.split_from_id,

        ---------- place
        files.path,
        landed.sheet,
        landed.row_number,

        ---------- texts
        landed.institution_name,
        landed.institution_type_code,
        landed.region_code,
        landed.administrative_level,
        landed.is_key_energy_user = 'true' as is_key_energy_user,
        landed.snapshot_scope,
        landed.floor_area_text,
        landed.floor_area_unit,
        landed.persons_text,

        ---------- amounts
        try_cast(landed.persons_text as decimal(18,4)) as energy_users_persons,
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
