with

regions as (
    select * from {{ source('control', 'profile_regions') }}
),

final as (
    select
        ---------- ids
        region_code,
        nullif(parent_code, '') as parent_code,

        ---------- texts
        region_name_zh,
        region_name_en,
        region_level,

        ---------- booleans
        lower(is_in_scope) = 'true' as is_in_scope
    from regions
)

select * from final
