with

landed as (
    select * from {{ ref('stg_energy_audit__buildings') }}
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
        landed.building_code,
        landed.building_name,
        landed.building_function,
        landed.structure_type,
        landed.wall_type,
        landed.wall_insulation_type,
        landed.window_type,
        landed.glass_type,
        landed.frame_type,
        landed.air_conditioning_type,
        landed.heating_type,
        landed.built_year,
        landed.floor_area_m2,
        landed.air_conditioned_area_m2,
        landed.heated_area_m2
    from landed
    inner join reports
        on landed.file_id = reports.file_id
        and landed.institution_id = reports.institution_id
        and reports.record_state = 'used'
)

select * from final
