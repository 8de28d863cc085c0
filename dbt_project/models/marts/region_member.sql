{#- Which regions lie in which: each region of the profile with itself and everything below it, each group
    with its members and everything below them. What a regional sum is made of
    is found by it. -#}
with

paths as (
    select * from {{ ref('core_region_path') }} where is_ancestor_in_scope
),

final as (
    select
        ---------- ids
        ancestor_code as region_code,
        region_code as member_region_code,

        ---------- dates: those of a member of a group, which counts in the years whose 31 December they hold
        valid_from,
        valid_to
    from paths
)

select * from final
