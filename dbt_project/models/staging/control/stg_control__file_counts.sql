with

file_counts as (
    select * from {{ source('control', 'file_counts') }}
),

final as (
    select
        ---------- ids
        file_id,
        layout_id,
        unit,

        ---------- counts
        n_read,
        n_loaded,
        n_quarantined,
        n_ignored
    from file_counts
)

select * from final
