with

members as (
    select * from {{ source('control', 'profile_region_groups') }}
),

final as (
    select
        ---------- ids
        group_code,
        member_code,

        ---------- texts
        group_name_zh,
        group_name_en,
        source,

        ---------- dates
        valid_from,
        valid_to
    from members
)

select * from final
