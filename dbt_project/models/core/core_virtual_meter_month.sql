{#- Months of meters that are sums of others, with signs. A month in which one of them says nothing is missing. -#}
with

tree as (
    select * from {{ ref('core_meter_tree') }}
),

months as (
    select * from {{ ref('core_meter_month') }}
),

parts as (
    select * from tree where is_part_of_virtual
),

-- what a sum is made of in a month: as the register says for its last day
parts_of_month as (
    select
        parts.*,
        calendar.year,
        calendar.month,
        count(*) over (
            partition by parts.building_code, parts.parent_meter_id, calendar.year, calendar.month
        ) as n_parts_declared
    from parts
    inner join (select distinct building_code, year, month from months) as calendar
        on parts.building_code = calendar.building_code
        and last_day(make_date(calendar.year, calendar.month, 1)) between parts.valid_from and parts.valid_to
),

summed as (
    select
        parts.building_code,
        parts.parent_meter_id as meter_id,
        parts.parent_item_code as item_code,
        parts.n_parts_declared,
        months.year,
        months.month,
        months.reported_unit,
        sum(months.reported_amount * parts.sign_number) as reported_amount,
        sum(months.repaired_amount * parts.sign_number) as repaired_amount,
        sum(months.spread_amount * parts.sign_number) as spread_amount,
        min(months.covered_s) as covered_s,
        count(distinct (parts.meter_id, parts.item_code)) as n_present
    from parts_of_month as parts
    inner join months
        on parts.building_code = months.building_code
        and parts.year = months.year
        and parts.month = months.month
        and parts.meter_id = months.meter_id
        and parts.item_code = months.item_code
    where months.reported_amount is not null
    group by all
),

final as (
    select
        ---------- ids
        building_code,
        meter_id,
        item_code,
        year,
        month,

        ---------- amounts
        cast(reported_amount as decimal(18,4)) as reported_amount,
        cast(repaired_amount as decimal(18,4)) as repaired_amount,
        cast(spread_amount as decimal(18,4)) as spread_amount,
        reported_unit,

        ---------- counts
        cast(covered_s as bigint) as covered_s
    from summed
    where n_present = n_parts_declared
)

select * from final
