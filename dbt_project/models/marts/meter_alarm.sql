{#- What a meter or a building should be asked about (能耗预警): readings outside the meter's own band of the same weekday and
    hour, and years that run ahead of the year before. An alarm changes no figure. Bands and rates are doubles: they
    judge, they are never summed. -#}
with

standing as (
    select * from {{ ref('core_standing_reading') }}
),

repairs as (
    select * from {{ ref('core_reading_repair') }}
),

units as (
    select * from {{ ref('unit_conversions') }}
),

months as (
    select * from {{ ref('core_meter_month') }}
),

years as (
    select * from {{ ref('core_meter_year') }}
),

items as (
    select * from {{ ref('metering_items') }}
),

buildings as (
    select * from {{ ref('core_building') }}
),

limits as (
    select
        cast(max(limit_value) filter (where limit_key = 'alarm_baseline_weeks') as bigint) as baseline_weeks,
        cast(max(limit_value) filter (where limit_key = 'alarm_min_baseline') as bigint) as min_baseline,
        cast(max(limit_value) filter (where limit_key = 'alarm_window_days') as bigint) as window_days,
        cast(max(limit_value) filter (where limit_key = 'alarm_spread_multiple') as double) as spread_multiple,
        cast(max(limit_value) filter (where limit_key = 'alarm_min_deviation_share') as double) as min_deviation_share,
        cast(max(limit_value) filter (where limit_key = 'run_rate_max_increase_share') as double) as max_increase_share
    from {{ ref('method_limits') }}
),

---------- the band of a meter: the same weekday and hour of the weeks before

last_days as (
    select building_code, meter_id, item_code, max(ends_at) as last_ends_at
    from standing
    group by all
),

-- a reading that a rule set aside or made up says nothing about the meter
recent as (
    select
        standing.building_code,
        standing.meter_id,
        standing.item_code,
        standing.unit_text,
        standing.starts_at,
        standing.ends_at,
        cast(standing.amount as double) * cast(standing.multiplier as double) as amount,
        standing.starts_at >= last_days.last_ends_at - to_days(cast(limits.window_days as integer)) as is_looked_at
    from standing
    cross join limits
    inner join last_days
        on standing.building_code = last_days.building_code
        and standing.meter_id is not distinct from last_days.meter_id
        and standing.item_code = last_days.item_code
    anti join repairs
        on standing.file_id = repairs.file_id
        and standing.line = repairs.line
        and standing.column_number = repairs.column_number
    where standing.ends_at > standing.starts_at
        and standing.ends_at <= standing.starts_at + interval 1 day
        and standing.starts_at
            >= last_days.last_ends_at - to_days(cast(limits.window_days + 7 * limits.baseline_weeks as integer))
),

same_hours as (
    select
        looked_at.building_code,
        looked_at.meter_id,
        looked_at.item_code,
        looked_at.unit_text,
        looked_at.starts_at,
        looked_at.ends_at,
        any_value(looked_at.amount) as amount,
        count(*) as n_baseline,
        median(earlier.amount) as middle,
        quantile_cont(earlier.amount, 0.1) as low,
        quantile_cont(earlier.amount, 0.9) as high
    from recent as looked_at
    cross join limits
    inner join recent as earlier
        on looked_at.building_code = earlier.building_code
        and looked_at.meter_id is not distinct from earlier.meter_id
        and looked_at.item_code = earlier.item_code
        and looked_at.unit_text = earlier.unit_text
        and isodow(looked_at.starts_at) = isodow(earlier.starts_at)
        and looked_at.starts_at::time = earlier.starts_at::time
        and looked_at.ends_at - looked_at.starts_at = earlier.ends_at - earlier.starts_at
        and earlier.starts_at < looked_at.starts_at
        and earlier.starts_at >= looked_at.starts_at - to_days(cast(7 * limits.baseline_weeks as integer))
    where looked_at.is_looked_at
    group by all
),

banded as (
    select
        same_hours.*,
        middle - greatest(limits.spread_multiple * (middle - low), limits.min_deviation_share * middle) as lower_bound,
        middle + greatest(limits.spread_multiple * (high - middle), limits.min_deviation_share * middle) as upper_bound
    from same_hours
    cross join limits
    where n_baseline >= limits.min_baseline and middle > 0
),

of_bands as (
    select
        case when banded.amount > banded.upper_bound then 'above_band' else 'below_band' end as alarm_kind,
        banded.building_code,
        banded.meter_id,
        banded.item_code,
        banded.starts_at,
        banded.ends_at,
        units.canonical_unit as unit,
        banded.amount * units.multiplier as observed,
        banded.middle * units.multiplier as expected,
        banded.lower_bound * units.multiplier as lower_bound,
        banded.upper_bound * units.multiplier as upper_bound,
        banded.n_baseline
    from banded
    inner join units on banded.unit_text = units.unit_text
    where banded.amount > banded.upper_bound or banded.amount < banded.lower_bound
),

---------- the run rate of a building: the months of its last year against the same months of the year before

by_month as (
    select
        months.building_code,
        months.item_code,
        months.reported_unit as unit,
        months.year,
        months.month,
        sum(months.reported_amount) as amount,
        min(months.covered_s) as covered_s
    from months
    inner join items on months.item_code = items.item_code
    inner join years
        on months.building_code = years.building_code
        and months.meter_id is not distinct from years.meter_id
        and months.item_code = years.item_code
        and months.year = years.year
        and months.reported_unit = years.reported_unit
        and years.is_counted_in_building
    where items.published_as is not null and coalesce(items.parent_code, '') = ''
    group by all
),

-- only months that readings cover whole, in both years
whole_months as (
    select *
    from by_month
    where covered_s >= date_diff(
        'second', make_date(year, month, 1)::timestamp, make_date(year, month, 1)::timestamp + interval 1 month
    )
),

compared as (
    select
        now.building_code,
        now.item_code,
        now.unit,
        now.year,
        max(now.month) as last_month,
        count(*) as n_months,
        sum(now.amount) as amount,
        sum(before.amount) as amount_before
    from whole_months as now
    inner join whole_months as before
        on now.building_code = before.building_code
        and now.item_code = before.item_code
        and now.unit = before.unit
        and now.year = before.year + 1
        and now.month = before.month
    group by all
),

last_years as (
    select *
    from compared
    qualify row_number() over (partition by building_code, item_code, unit order by year desc) = 1
),

of_years as (
    select
        'run_rate' as alarm_kind,
        last_years.building_code,
        null as meter_id,
        last_years.item_code,
        make_date(last_years.year, 1, 1)::timestamp as starts_at,
        make_date(last_years.year, cast(last_years.last_month as integer), 1)::timestamp + interval 1 month as ends_at,
        last_years.unit,
        cast(last_years.amount as double) as observed,
        cast(last_years.amount_before as double) as expected,
        null as lower_bound,
        cast(last_years.amount_before as double) * (1 + limits.max_increase_share) as upper_bound,
        last_years.n_months as n_baseline
    from last_years
    cross join limits
    where last_years.amount_before > 0
        and cast(last_years.amount as double) > cast(last_years.amount_before as double) * (1 + limits.max_increase_share)
),

united as (
    select * from of_bands
    union all
    select * from of_years
),

final as (
    select
        ---------- ids
        buildings.region_code,
        buildings.institution_id,
        united.building_code,
        coalesce(united.meter_id, '') as meter_id,
        united.item_code,

        ---------- texts
        united.alarm_kind,
        united.unit,

        ---------- times
        united.starts_at,
        united.ends_at,

        ---------- amounts, in the unit of the row
        round(united.observed, 4) as observed_amount,
        round(united.expected, 4) as usual_amount,
        round(united.lower_bound, 4) as lower_amount,
        round(united.upper_bound, 4) as upper_amount,

        ---------- how far off
        (united.observed - united.expected) / united.expected as usual_difference_share,
        cast(united.n_baseline as bigint) as n_baseline
    from united
    left join buildings on united.building_code = buildings.building_code
)

select * from final
