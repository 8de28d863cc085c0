with

landed as (
    select * from {{ source('registers', 'registers__vehicles') }}
),

files as (
    select * from {{ ref('stg_control__files') }}
),

final as (
    select
        ---------- ids
        landed.file_id,
        landed.vehicle_id,
        landed.institution_id,

        ---------- place
        files.path,
        landed.sheet,
        landed.row_number,

        ---------- texts
        landed.vehicle_kind,
        landed.fuel,
        landed.snapshot_scope,

        ---------- dates
        landed.valid_from,
        landed.valid_to,
        landed.as_of,

        ---------- booleans
        landed.is_new_energy = 'true' as is_new_energy,
        false as has_lost_digits
    from landed
    inner join files on landed.file_id = files.file_id
)

select * from final
