{#- One row per building: the register first, else the platform's own building file, else a provisional row. -#}
with

register as (
    select * from {{ ref('stg_registers__buildings') }}
),

platform as (
    select * from {{ ref('stg_metering__buildings') }}
),

entries as (
    select * from {{ ref('core_register_entry') }}
),

metered as (
    select distinct building_code from {{ ref('core_meter_year') }}
),

attributes as (
    select * from {{ ref('core_building_attribute') }}
),

classes as (
    select * from {{ ref('building_classes') }}
),

-- the newest of the lines that stand
registered as (
    select register.*
    from register
    inner join entries
        on entries.register_kind = 'building'
        and register.file_id = entries.file_id
        and register.sheet is not distinct from entries.sheet
        and register.row_number = entries.row_number
        and not entries.is_superseded
    qualify row_number() over (
        partition by register.building_code
        order by entries.valid_from desc nulls last, register.path, register.row_number
    ) = 1
),

-- uploads repeat their building file: the last by name is the newest
uploaded as (
    select * from platform
    qualify row_number() over (partition by building_code order by path desc, row_number desc) = 1
),

-- one column per attribute
envelopes as (
    select
        building_code,
        max(attribute_code) filter (where attribute = 'structure_type_code') as structure_type_code,
        max(attribute_code) filter (where attribute = 'air_conditioning_type_code') as air_conditioning_type_code,
        max(attribute_code) filter (where attribute = 'heating_type_code') as heating_type_code,
        max(attribute_code) filter (where attribute = 'wall_material_code') as wall_material_code,
        max(attribute_code) filter (where attribute = 'wall_insulation_code') as wall_insulation_code,
        max(attribute_code) filter (where attribute = 'window_type_code') as window_type_code,
        max(attribute_code) filter (where attribute = 'glass_type_code') as glass_type_code,
        max(attribute_code) filter (where attribute = 'window_frame_code') as window_frame_code
    from attributes
    group by all
),

codes as (
    select building_code from registered
    union
    select building_code from uploaded
    union
    select building_code from metered
),

final as (
    select
        ---------- ids
        codes.building_code,
        coalesce(registered.region_code, uploaded.region_code) as region_code,
        registered.institution_id,

        ---------- texts
        coalesce(registered.building_name, uploaded.building_name) as building_name,
        coalesce(
            classes.stored_as_code, registered.building_class_code, uploaded.building_class_code
        ) as building_class_code,
        registered.owner_kind,

        ---------- amounts
        coalesce(registered.floor_area_m2, uploaded.floor_area_m2) as floor_area_m2,
        uploaded.air_conditioned_area_m2,
        uploaded.heated_area_m2,
        uploaded.body_shape_coefficient_per_m,

        ---------- envelope and systems
        uploaded.built_year,
        uploaded.n_floors_above,
        uploaded.n_floors_below,
        envelopes.structure_type_code,
        envelopes.air_conditioning_type_code,
        envelopes.heating_type_code,
        envelopes.wall_material_code,
        envelopes.wall_insulation_code,
        envelopes.window_type_code,
        envelopes.glass_type_code,
        envelopes.window_frame_code,

        ---------- booleans
        registered.building_code is not null as is_registered
    from codes
    left join registered on codes.building_code = registered.building_code
    left join uploaded on codes.building_code = uploaded.building_code
    left join envelopes on codes.building_code = envelopes.building_code
    left join classes
        on coalesce(registered.building_class_code, uploaded.building_class_code) = classes.building_class_code
)

select * from final
