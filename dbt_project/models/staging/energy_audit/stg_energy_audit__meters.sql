with

landed as (
    select * from {{ source('energy_audit', 'energy_audit__meters') }}
),

files as (
    select * from {{ ref('stg_control__files') }}
),

final as (
    select
        ---------- ids
        landed.file_id,
        files.layout_id,
        landed.institution_id,
        landed.meter_id,
        landed.building_code,

        ---------- place
        files.path,
        landed.sheet,
        landed.row_number,

        ---------- texts
        landed.institution_name,
        landed.meter_name,
        landed.carrier,
        landed.accuracy_class,
        landed.location,

        ---------- amounts
        landed.meter_level,
        try_cast(landed.multiplier as decimal(18,6)) as multiplier,

        ---------- dates
        landed.calibrated_on,

        ---------- the release of the report
        landed.audit_year,
        landed.release_number,
        landed.released_on,
        landed.release_status,

        ---------- booleans
        {{ has_lost_digits('landed.multiplier', '1') }} as has_lost_digits
    from landed
    inner join files on landed.file_id = files.file_id
)

select * from final
