with

entries as (
    select * from {{ ref('core_register_entry') }}
),

final as (
    select
        ---------- ids
        later.register_kind,
        later.register_key,

        ---------- texts
        later.register_name,

        ---------- place
        later.file_id,
        later.path,
        later.row_number,

        ---------- the line that stands
        later.survivor_file_id,
        later.survivor_path,
        later.survivor_row_number,

        ---------- booleans
        later.content_hash = earlier.content_hash as is_identical
    from entries as later
    inner join entries as earlier
        on later.register_kind = earlier.register_kind
        and later.survivor_file_id = earlier.file_id
        and later.survivor_sheet is not distinct from earlier.sheet
        and later.survivor_row_number = earlier.row_number
    where later.superseded_reason = later.register_kind || '_registered_twice'
)

select * from final
