{#- What may be added up to a region, of figures that others state by place: the smallest stated places alone. A county
    stands beside its districts in the same column, so that the plain sum of a file counts a place two or three times.
    Which place lies in which is what the profile's regions declare. -#}
with

stated_values as (
    select * from {{ ref('stg_energy_audit__values') }}
),

paths as (
    select * from {{ ref('core_region_path') }} where is_ancestor_group is not true
),

stated as (
    select stated_values.*
    from stated_values
    semi join paths on stated_values.institution_id = paths.region_code
    where stated_values.measure = 'amount' and stated_values.amount is not null
    qualify row_number() over (
        partition by institution_id, year, table_code, item_code order by path, sheet, row_number, column_number
    ) = 1
),

-- a place that is stated beside a part of it
wholes as (
    select distinct stated.institution_id, stated.year, stated.table_code, stated.item_code
    from stated
    inner join paths on stated.institution_id = paths.ancestor_code and paths.n_steps > 0
    inner join stated as parts
        on paths.region_code = parts.institution_id
        and stated.year = parts.year
        and stated.table_code is not distinct from parts.table_code
        and stated.item_code = parts.item_code
),

leaves as (
    select stated.*
    from stated
    anti join wholes
        on stated.institution_id = wholes.institution_id
        and stated.year = wholes.year
        and stated.table_code is not distinct from wholes.table_code
        and stated.item_code = wholes.item_code
),

final as (
    select
        ---------- ids
        paths.ancestor_code as region_code,
        leaves.year,
        leaves.table_code,
        leaves.item_code,
        leaves.institution_id as member_code,

        ---------- place
        leaves.path,
        leaves.sheet,
        leaves.row_number,

        ---------- texts
        leaves.institution_name as member_name,
        leaves.value_text,

        ---------- amounts
        leaves.amount,
        leaves.unit,
        whole.amount as stated_amount
    from leaves
    inner join paths on leaves.institution_id = paths.region_code
    left join stated as whole
        on paths.ancestor_code = whole.institution_id
        and leaves.year = whole.year
        and leaves.table_code is not distinct from whole.table_code
        and leaves.item_code = whole.item_code
)

select * from final
