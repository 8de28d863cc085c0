with

files as (
    select * from {{ source('control', 'files') }}
),

final as (
    select
        ---------- ids
        file_id,
        layout_id,

        ---------- texts
        source,
        path,
        form_code,
        edition,
        outcome,
        reason_code,

        ---------- dates
        received_on
    from files
)

select * from final
