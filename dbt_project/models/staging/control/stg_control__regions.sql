with

regions as (
    select * from {{ source('control', 'profile_regions') }}
),

groups as (
    select distinct group_code, group_name_zh, group_name_en from {{ ref('stg_control__region_groups') }}
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

    union all

    select group_code, null, group_name_zh, group_name_en, 'group', true
    from groups
)

select * from final
