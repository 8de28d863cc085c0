{#- Main against the sum of its parts, by year: meters behind a meter, and sub-items of an item. What no part explains is an
    amount of its own, never spread over the parts. -#}
with

years as (
    select * from {{ ref('core_meter_year') }}
),

tree as (
    select * from {{ ref('core_meter_tree') }}
),

items as (
    select * from {{ ref('metering_items') }}
),

limits as (
    select max(limit_value) filter (where limit_key = 'meter_balance_tolerance_share') as tolerance_share
    from {{ ref('method_limits') }}
),

by_meter as (
    select
        'meters' as balance_kind,
        tree.building_code,
        tree.parent_meter_id as main_key,
        tree.parent_item_code as item_code,
        main.year,
        main.unit,
        main.amount as main_amount,
        sum(parts.amount * tree.sign_number) as sum_of_parts_amount,
        count(parts.amount) as n_parts_present,
        count(*) as n_parts_declared
    from tree
    inner join years as main
        on tree.building_code = main.building_code
        and tree.parent_meter_id = main.meter_id
        and tree.parent_item_code = main.item_code
        and make_date(main.year, 12, 31) between tree.valid_from and tree.valid_to
    left join years as parts
        on tree.building_code = parts.building_code
        and tree.meter_id = parts.meter_id
        and tree.item_code = parts.item_code
        and main.year = parts.year
        and main.unit = parts.unit
    where not tree.is_part_of_virtual and main.amount is not null
    group by all
),

item_years as (
    select building_code, item_code, year, unit, sum(amount) as amount
    from years
    where is_counted_in_building
    group by all
),

item_parts as (
    select
        items.parent_code,
        item_years.building_code,
        item_years.year,
        item_years.unit,
        sum(item_years.amount) as sum_of_parts_amount,
        count(item_years.amount) as n_parts_present
    from item_years
    inner join items on item_years.item_code = items.item_code
    where items.parent_code is not null
    group by all
),

declared_items as (
    select parent_code, count(*) as n_parts_declared
    from items
    where parent_code is not null and status <> 'not confirmed'
    group by all
),

by_item as (
    select
        'items' as balance_kind,
        main.building_code,
        main.item_code as main_key,
        main.item_code,
        main.year,
        main.unit,
        main.amount as main_amount,
        item_parts.sum_of_parts_amount,
        item_parts.n_parts_present,
        declared_items.n_parts_declared
    from item_years as main
    inner join item_parts
        on main.building_code = item_parts.building_code
        and main.item_code = item_parts.parent_code
        and main.year = item_parts.year
        and main.unit = item_parts.unit
    inner join declared_items on main.item_code = declared_items.parent_code
    where main.amount is not null
),

united as (
    select * from by_meter
    union all by name
    select * from by_item
),

judged as (
    select
        united.*,
        limits.tolerance_share,
        united.main_amount - united.sum_of_parts_amount as gap_amount,
        cast(abs(united.main_amount) as decimal(19,4)) * limits.tolerance_share as tolerated_amount
    from united
    cross join limits
),

final as (
    select
        ---------- ids
        balance_kind,
        building_code,
        main_key,
        item_code,
        cast(year as integer) as year,

        ---------- texts
        unit,
        case
            when -gap_amount > tolerated_amount then 'excess'
            when n_parts_present < n_parts_declared then 'incomplete'
            when gap_amount > tolerated_amount then 'gap'
            when gap_amount is not null then 'within'
        end as balance_state,

        ---------- amounts
        cast(main_amount as decimal(18,4)) as main_amount,
        cast(sum_of_parts_amount as decimal(18,4)) as sum_of_parts_amount,
        cast(gap_amount as decimal(18,4)) as gap_amount,

        ---------- shares
        {{ ratio('gap_amount', 'main_amount') }} as gap_share,
        tolerance_share,

        ---------- counts
        cast(n_parts_present as bigint) as n_parts_present,
        cast(n_parts_declared as bigint) as n_parts_declared
    from judged
)

select * from final
