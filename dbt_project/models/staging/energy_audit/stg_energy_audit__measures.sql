with

landed as (
    select * from {{ source('energy_audit', 'energy_audit__measures') }}
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
        files.layout_id,
        landed.institution_id,
        landed.table_code,
        landed.measure_number,

        ---------- place
        files.path,
        landed.sheet,
        landed.row_number,

        ---------- texts
        landed.institution_name,
        landed.measure_name,
        landed.measure_kind,
        landed.measure_status,

        ---------- amounts
        landed.implemented_year,
        {{ measured('investment') }} as investment_cny,
        {{ measured('energy_saving') }} as energy_saving_kgce,
        {{ measured('electricity_saving') }} as electricity_saving_kwh,
        {{ measured('cost_saving') }} as cost_saving_cny,
        {{ measured('emissions_saving') }} as emissions_saving_tco2,

        ---------- the release of the report
        landed.audit_year,
        landed.release_number,
        landed.released_on,
        landed.release_status,

        ---------- booleans
        {{ measured_has_lost_digits('investment') }}
            or {{ measured_has_lost_digits('energy_saving') }}
            or {{ measured_has_lost_digits('electricity_saving') }}
            or {{ measured_has_lost_digits('cost_saving') }}
            or {{ measured_has_lost_digits('emissions_saving') }} as has_lost_digits
    from landed
    inner join files on landed.file_id = files.file_id
    {{ join_units({'investment': 'CNY', 'energy_saving': 'kgce', 'electricity_saving': 'kWh', 'cost_saving': 'CNY', 'emissions_saving': 'tCO2'}) }}
)

select * from final
