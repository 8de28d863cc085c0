with

landed as (
    select * from {{ source('metering', 'metering__buildings') }}
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
        landed.building_code,
        landed.node_code,

        ---------- place
        files.path,
        landed.row_number,

        ---------- texts
        landed.building_name,
        landed.building_class_code,
        landed.owner_name,
        landed.region_code,

        ---------- attributes, in the letters of the sender
        landed.attribute_dialect,
        landed.structure_type_code,
        landed.air_conditioning_type_code,
        landed.heating_type_code,
        landed.wall_material_code,
        landed.wall_insulation_code,
        landed.window_type_code,
        landed.glass_type_code,
        landed.window_frame_code,

        ---------- years and counts
        try_cast(landed.built_year_text as integer) as built_year,
        try_cast(landed.floors_above_text as integer) as n_floors_above,
        try_cast(landed.floors_below_text as integer) as n_floors_below,

        ---------- amounts
        try_cast(landed.body_shape_text as decimal(18,4)) as body_shape_coefficient_per_m,
        {{ converted('try_cast(landed.air_conditioned_area_text as decimal(18,6))', 'units.multiplier') }}
            as air_conditioned_area_m2,
        {{ converted('try_cast(landed.heated_area_text as decimal(18,6))', 'units.multiplier') }} as heated_area_m2,
        {{ converted('try_cast(landed.floor_area_text as decimal(18,6))', 'units.multiplier') }} as floor_area_m2
    from landed
    inner join files on landed.file_id = files.file_id
    left join units
        on landed.floor_area_unit = units.unit_text
        and units.canonical_unit = 'm2'
)

select * from final
