{#- Years of meters, those that are sums of others among them. What lies behind a meter of the same item counts in
    that one, where it has an amount: check meters are never added. -#}
with

read_months as (
    select * from {{ ref('core_meter_month') }}
),

virtual_months as (
    select * from {{ ref('core_virtual_meter_month') }}
),

tree as (
    select * from {{ ref('core_meter_tree') }}
),

items as (
    select * from {{ ref('metering_items') }}
),

carrier_conversions as (
    select * from {{ ref('carrier_conversions') }}
),

months as (
    select *, false as is_virtual from read_months
    union all by name
    select *, true as is_virtual, 0 as n_readings, 0 as n_zero_readings, 0 as n_missing_readings, 0 as n_repaired_readings
    from virtual_months
),

years as (
    select
        is_virtual,
        building_code,
        meter_id,
        item_code,
        year,
        reported_unit,
        sum(reported_amount) as reported_amount,
        sum(repaired_amount) as reported_repaired_amount,
        sum(spread_amount) as reported_spread_amount,
        sum(n_readings) as n_readings,
        sum(n_zero_readings) as n_zero_readings,
        sum(n_missing_readings) as n_missing_readings,
        sum(n_repaired_readings) as n_repaired_readings,
        sum(covered_s) as covered_s
    from months
    group by all
),

-- converted once, after all sums
converted as (
    select
        years.*,
        items.carrier,
        items.canonical_unit as unit,
        case
            when years.reported_unit <> items.canonical_unit
                then 'CV-' || items.carrier || '-' || years.reported_unit || '-' || items.canonical_unit
        end as conversion_id,
        {%- for column, reported in [
            ('amount', 'reported_amount'),
            ('repaired_amount', 'reported_repaired_amount'),
            ('spread_amount', 'reported_spread_amount'),
        ] %}
        {{ converted(
            'years.' ~ reported, '1',
            'case when years.reported_unit = items.canonical_unit then 1 else carrier_conversions.multiplier end'
        ) }} as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from years
    left join items on years.item_code = items.item_code
    left join carrier_conversions
        on items.carrier = carrier_conversions.carrier
        and years.reported_unit = carrier_conversions.from_unit
        and items.canonical_unit = carrier_conversions.to_unit
),

behind_another as (
    select distinct tree.building_code, tree.meter_id, tree.item_code, above.year
    from tree
    inner join converted as above
        on tree.building_code = above.building_code
        and tree.parent_meter_id = above.meter_id
        and tree.item_code = above.item_code
        and make_date(above.year, 12, 31) between tree.valid_from and tree.valid_to
    where above.amount is not null
),

final as (
    select
        ---------- ids
        building_code,
        meter_id,
        item_code,
        year,
        conversion_id,

        ---------- texts
        carrier,

        ---------- amounts
        amount,
        unit,
        cast(reported_amount as decimal(18,4)) as reported_amount,
        reported_unit,
        repaired_amount,
        spread_amount,

        ---------- counts
        cast(n_readings as bigint) as n_readings,
        cast(n_zero_readings as bigint) as n_zero_readings,
        cast(n_missing_readings as bigint) as n_missing_readings,
        cast(n_repaired_readings as bigint) as n_repaired_readings,
        cast(covered_s as bigint) as covered_s,

        ---------- share of the year that readings cover
        {{ ratio('covered_s', "date_diff('second', make_timestamp(year, 1, 1, 0, 0, 0), make_timestamp(year + 1, 1, 1, 0, 0, 0))") }}
            as coverage_share,

        ---------- booleans
        is_virtual,
        behind_another.year is null as is_counted_in_building
    from converted
    left join behind_another using (building_code, meter_id, item_code, year)
)

select * from final
