with

institutions as (
    select * from {{ ref('core_institution_register') }}
),

superseded as (
    select * from {{ ref('core_superseded_records') }}
),

buildings as (
    select * from {{ ref('stg_registers__buildings') }}
),

united as (
    select
        'institution' as register_kind,
        later.institution_id as register_key,
        later.institution_name as register_name,
        later.file_id,
        later.path,
        later.row_number,
        later.survivor_file_id,
        later.survivor_path,
        later.survivor_row_number,
        (later.institution_name, later.institution_type_code, later.region_code, later.floor_area_m2,
            later.energy_users_persons)
        is not distinct from
        (earlier.institution_name, earlier.institution_type_code, earlier.region_code, earlier.floor_area_m2,
            earlier.energy_users_persons) as is_identical
    from institutions as later
    inner join institutions as earlier
        on later.survivor_file_id = earlier.file_id
        and later.survivor_row_number = earlier.row_number
    where later.is_superseded

    union all

    select
        'building',
        later.building_code,
        later.building_name,
        later.file_id,
        later.path,
        later.row_number,
        superseded.survivor_file_id,
        superseded.survivor_path,
        superseded.survivor_row_number,
        (later.building_name, later.building_class_code, later.institution_id, later.region_code, later.floor_area_m2)
        is not distinct from
        (earlier.building_name, earlier.building_class_code, earlier.institution_id, earlier.region_code,
            earlier.floor_area_m2)
    from buildings as later
    inner join superseded
        on later.file_id = superseded.file_id
        and later.row_number = superseded.row_number
        and superseded.superseded_reason = 'building_registered_twice'
    inner join buildings as earlier
        on superseded.survivor_file_id = earlier.file_id
        and superseded.survivor_row_number = earlier.row_number
),

final as (
    select
        ---------- ids
        register_kind,
        register_key,

        ---------- texts
        register_name,

        ---------- place
        file_id,
        path,
        cast(row_number as integer) as row_number,

        ---------- the line that stands
        survivor_file_id,
        survivor_path,
        cast(survivor_row_number as integer) as survivor_row_number,

        ---------- booleans
        is_identical
    from united
)

select * from final
