with

landed as (
    select * from {{ ref('stg_energy_audit__equipment') }}
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
        landed.equipment_id,
        landed.equipment_name,
        landed.equipment_kind,
        landed.equipment_model,
        landed.efficiency_grade,
        landed.location,
        landed.n_units,
        landed.installed_year,
        landed.rated_power_kw,
        landed.annual_hours_h
    from landed
    inner join reports
        on landed.file_id = reports.file_id
        and landed.institution_id = reports.institution_id
        and reports.record_state = 'used'
)

select * from final
