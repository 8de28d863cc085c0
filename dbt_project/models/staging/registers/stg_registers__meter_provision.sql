with

landed as (
    select * from {{ source('registers', 'registers__meter_provision') }}
),

files as (
    select * from {{ ref('stg_control__files') }}
),

final as (
    select
        ---------- ids
        landed.file_id,
        landed.institution_id,
        landed.year,
        landed.carrier,
        landed.meter_level,

        ---------- place
        files.path,
        landed.sheet,
        landed.row_number,

        ---------- counts
        landed.n_meters_required,
        landed.n_meters_fitted,

        ---------- dates
        landed.as_of
    from landed
    inner join files on landed.file_id = files.file_id
)

select * from final
