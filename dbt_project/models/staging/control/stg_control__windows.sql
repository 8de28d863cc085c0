with

profile_windows as (
    select * from {{ source('control', 'profile_windows') }}
),

final as (
    select
        ---------- ids
        source,
        cast(year as integer) as year,

        ---------- dates
        due_on,
        closes_on
    from profile_windows
)

select * from final
