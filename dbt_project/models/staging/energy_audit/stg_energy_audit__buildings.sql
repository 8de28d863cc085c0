with

landed as (
    select * from {{ source('energy_audit', 'energy_audit__buildings') }}
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
        landed.building_code,

        ---------- place
        files.path,
        landed.sheet,
        landed.row_number,

        ---------- texts
        landed.institution_name,
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

        ---------- amounts
        landed.built_year,
        {{ measured('floor_area') }} as floor_area_m2,
        {{ measured('air_conditioned_area') }} as air_conditioned_area_m2,
        {{ measured('heated_area') }} as heated_area_m2,

        ---------- the release of the report
        landed.audit_year,
        landed.release_number,
        landed.released_on,
        landed.release_status,

        ---------- booleans
        {{ measured_has_lost_digits('floor_area') }}
            or {{ measured_has_lost_digits('air_conditioned_area') }}
            or {{ measured_has_lost_digits('heated_area') }} as has_lost_digits
    from landed
    inner join files on landed.file_id = files.file_id
    {{ join_units({'floor_area': 'm2', 'air_conditioned_area': 'm2', 'heated_area': 'm2'}) }}
)

select * from final
