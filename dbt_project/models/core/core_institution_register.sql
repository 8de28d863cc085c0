with

register as (
    select * from {{ ref('stg_registers__institutions') }}
),

-- A register may carry an institution through several spans of years; two lines whose spans overlap are
-- one institution written twice. The first by start, file and line stands.
overlapping as (
    select
        later.file_id,
        later.row_number,
        arg_min(
            struct_pack(f := earlier.file_id, p := earlier.path, r := earlier.row_number),
            (coalesce(earlier.valid_from, date '0001-01-01'), earlier.path, earlier.row_number)
        ) as survivor
    from register as later
    inner join register as earlier
        on later.institution_id_scheme is not distinct from earlier.institution_id_scheme
        and later.institution_id = earlier.institution_id
        and (coalesce(earlier.valid_from, date '0001-01-01'), earlier.path, earlier.row_number)
            < (coalesce(later.valid_from, date '0001-01-01'), later.path, later.row_number)
        and coalesce(earlier.valid_to, date '9999-12-31') >= coalesce(later.valid_from, date '0001-01-01')
    group by all
),

final as (
    select
        ---------- ids
        register.file_id,
        register.institution_id_scheme,
        register.institution_id,
        register.parent_id,

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
        register.valid_from,
        register.valid_to,

        ---------- the line that stands in its place
        overlapping.survivor is not null as is_superseded,
        overlapping.survivor.f as survivor_file_id,
        overlapping.survivor.p as survivor_path,
        cast(overlapping.survivor.r as integer) as survivor_row_number
    from register
    left join overlapping
        on register.file_id = overlapping.file_id
        and register.row_number = overlapping.row_number
)

select * from final
