with recursive

regions as (
    select * from {{ ref('stg_control__regions') }} where region_level is distinct from 'group'
),

groups as (
    select * from {{ ref('stg_control__region_groups') }}
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

-- a group holds its members and all that lies in them; no region lies in a group, so that sums over levels stay whole
grouped as (
    select
        walk.region_code,
        groups.group_code as ancestor_code,
        walk.n_steps + 1 as n_steps,
        groups.valid_from,
        groups.valid_to
    from walk
    inner join groups on walk.ancestor_code = groups.member_code
),

final as (
    select
        ---------- ids
        walk.region_code,
        walk.ancestor_code,

        ---------- counts
        cast(walk.n_steps as integer) as n_steps,

        ---------- booleans
        coalesce(regions.is_in_scope, false) as is_ancestor_in_scope,
        false as is_ancestor_group,

        ---------- dates: those of a member of a group
        cast(null as date) as valid_from,
        cast(null as date) as valid_to
    from walk
    left join regions on walk.ancestor_code = regions.region_code

    union all

    select region_code, ancestor_code, cast(n_steps as integer), true, true, valid_from, valid_to
    from grouped
)

select * from final
