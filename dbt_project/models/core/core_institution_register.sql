with

register as (
    select * from {{ ref('stg_registers__institutions') }}
),

entries as (
    select * from {{ ref('core_register_entry') }}
),

final as (
    select
        ---------- ids
        register.file_id,
        register.institution_id_scheme,
        register.institution_id,
        register.parent_id,
        register.merged_into_id,
        register.split_from_id,

        ---------- place
        register.path,
        cast(register.row_number as integer) as row_number,

        ---------- texts
        register.institution_name,
        register.institution_type_code,
        register.region_code,
        register.administrative_level,

        ---------- amounts
        register.floor_area_m2,
        register.energy_users_persons,

        ---------- dates
        entries.valid_from,
        entries.valid_to,
        entries.snapshot_on,

        ---------- booleans
        register.is_key_energy_user,

        ---------- the line that stands in its place
        entries.is_superseded,
        entries.survivor_file_id,
        entries.survivor_path,
        entries.survivor_row_number
    from register
    inner join entries
        on entries.register_kind = 'institution'
        and register.file_id = entries.file_id
        and register.sheet is not distinct from entries.sheet
        and register.row_number = entries.row_number
)

select * from final
