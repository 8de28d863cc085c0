with recursive

regions as (
    select * from {{ ref('stg_control__regions') }}
),

-- every region with itself and each region above it; the walk knows no code system, only parents
walk as (
    select
        region_code,
        region_code as ancestor_code,
        0 as n_steps
    from regions

    union all

    select
        walk.region_code,
        regions.parent_code as ancestor_code,
        walk.n_steps + 1 as n_steps
    from walk
    inner join regions on walk.ancestor_code = regions.region_code
    where regions.parent_code is not null
),

final as (
    select
        ---------- ids
        walk.region_code,
        walk.ancestor_code,

        ---------- counts
        cast(walk.n_steps as integer) as n_steps,

        ---------- booleans
        coalesce(regions.is_in_scope, false) as is_ancestor_in_scope
    from walk
    left join regions on walk.ancestor_code = regions.region_code
)

select * from final
