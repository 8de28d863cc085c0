with

landed as (
    select * from {{ ref('stg_energy_audit__measures') }}
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
        landed.table_code,
        landed.measure_number,
        landed.measure_name,
        landed.measure_kind,
        landed.measure_status,
        landed.implemented_year,
        landed.investment_cny,
        landed.energy_saving_kgce,
        landed.electricity_saving_kwh,
        landed.cost_saving_cny,
        landed.emissions_saving_tco2
    from landed
    inner join reports
        on landed.file_id = reports.file_id
        and landed.institution_id = reports.institution_id
        and reports.record_state = 'used'
)

select * from final
