with

records as (
    select * from {{ source('control', 'records') }}
),

final as (
    select
        ---------- ids
        file_id,
        layout_id,

        ---------- place
        sheet,
        row_number,

        ---------- counts
        n_cells
    from records
)

select * from final
