with

landed as (
    select * from {{ ref('stg_energy_audit__meters') }}
),

reports as (
    select * from {{ ref('core_audit_record') }}
),

final as (
    select
        ---------- ids
        landed.file_id,
        landed.institution_id,
        reports.audit_year,

        ---------- place
        landed.path,
        landed.sheet,
        cast(landed.row_number as integer) as row_number,

        ---------- what the report says
        landed.meter_id,
        landed.building_code,
        landed.meter_name,
        landed.carrier,
        landed.accuracy_class,
        landed.location,
        landed.meter_level,
        landed.multiplier,
        landed.calibrated_on
    from landed
    inner join reports
        on landed.file_id = reports.file_id
        and landed.institution_id = reports.institution_id
        and reports.record_state = 'used'
)

select * from final
