with

rules as (
    select * from {{ source('control', 'reading_rules') }}
),

final as (
    select
        ---------- ids
        layout_id,

        ---------- registers
        register_capacity,
        register_reset,

        ---------- intervals
        negative,
        impossible_above_per_hour,
        zero,
        stuck_after,
        gap_fill,
        gap_longest_hours,
        gap_weeks,

        ---------- both
        duplicates
    from rules
)

select * from final
