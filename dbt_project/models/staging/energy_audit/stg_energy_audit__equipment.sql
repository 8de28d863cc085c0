with

landed as (
    select * from {{ source('energy_audit', 'energy_audit__equipment') }}
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
        landed.equipment_id,

        ---------- place
        files.path,
        landed.sheet,
        landed.row_number,

        ---------- texts
        landed.institution_name,
        landed.equipment_name,
        landed.equipment_kind,
        landed.equipment_model,
        landed.efficiency_grade,
        landed.location,

        ---------- amounts
        landed.n_units,
        landed.installed_year,
        {{ measured('rated_power') }} as rated_power_kw,
        {{ measured('annual_hours') }} as annual_hours_h,

        ---------- the release of the report
        landed.audit_year,
        landed.release_number,
        landed.released_on,
        landed.release_status,

        ---------- booleans
        {{ measured_has_lost_digits('rated_power') }}
            or {{ measured_has_lost_digits('annual_hours') }} as has_lost_digits
    from landed
    inner join files on landed.file_id = files.file_id
    {{ join_units({'rated_power': 'kW', 'annual_hours': 'h'}) }}
)

select * from final
