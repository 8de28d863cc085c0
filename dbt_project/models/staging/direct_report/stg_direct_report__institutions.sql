with

landed as (
    select * from {{ source('direct_report', 'direct_report__institutions') }}
),

files as (
    select * from {{ ref('stg_control__files') }}
),

final as (
    select
        ---------- ids
        landed.file_id,
        coalesce(landed.institution_id_scheme, 'unknown') as institution_id_scheme,
        landed.institution_id,

        ---------- place
        files.path,
        landed.row_number,

        ---------- texts
        landed.institution_name,
        landed.institution_type_code,
        landed.industry_code,
        landed.region_code,
        landed.address,

        ---------- period
        landed.year
    from landed
    inner join files on landed.file_id = files.file_id
)

select * from final
