with

months as (
    select * from {{ ref('core_meter_month') }}
),

items as (
    select * from {{ ref('metering_items') }}
),

carrier_conversions as (
    select * from {{ ref('carrier_conversions') }}
),

years as (
    select
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
            as coverage_share
    from converted
)

select * from final
