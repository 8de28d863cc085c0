{#- What a meter, a building or an institution should be asked about (能耗预警): readings outside the meter's own band of the same weekday and
    hour, years that run ahead of the year before, and years that will end above it. An alarm changes no figure. Bands
    and rates are doubles: they judge, they are never summed. -#}
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

forecasts as (
    select * from {{ ref('year_forecast') }}
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
        cast(max(limit_value) filter (where limit_key = 'run_rate_max_increase_share') as double) as max_increase_share,
        cast(max(limit_value) filter (where limit_key = 'forecast_max_increase_share') as double)
            as max_forecast_increase_share
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

---------- years that run ahead of the year before, and those that will end above it

of_years as (
    select
        'run_rate' as alarm_kind,
        subject_kind,
        subject_key,
        null as meter_id,
        item_code,
        make_date(year, 1, 1)::timestamp as starts_at,
        make_date(year, last_month_number, 1)::timestamp + interval 1 month as ends_at,
        unit,
        cast(to_date_amount as double) as observed,
        cast(same_months_before_amount as double) as expected,
        null as lower_bound,
        cast(same_months_before_amount as double) * (1 + limits.max_increase_share) as upper_bound,
        n_months_compared as n_baseline
    from forecasts
    cross join limits
    where same_months_before_amount > 0

    union all

    select
        'forecast',
        subject_kind,
        subject_key,
        null,
        item_code,
        make_date(year, 1, 1)::timestamp,
        make_date(year + 1, 1, 1)::timestamp,
        unit,
        forecast_amount,
        cast(year_before_amount as double),
        null,
        cast(year_before_amount as double) * (1 + limits.max_forecast_increase_share),
        n_months_compared
    from forecasts
    cross join limits
    where forecast_state = 'forecast'
),

institutions as (
    select distinct region_code, institution_id from forecasts where subject_kind = 'institution'
),

united as (
    select * exclude (building_code), 'building' as subject_kind, building_code as subject_key from of_bands
    union all by name
    select * from of_years where observed > upper_bound
),

final as (
    select
        ---------- ids
        coalesce(buildings.region_code, institutions.region_code) as region_code,
        coalesce(buildings.institution_id, institutions.institution_id) as institution_id,
        case united.subject_kind when 'building' then united.subject_key end as building_code,
        united.subject_kind,
        united.subject_key,
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
    left join buildings
        on united.subject_kind = 'building'
        and united.subject_key = buildings.building_code
    left join institutions
        on united.subject_kind = 'institution'
        and united.subject_key = institutions.institution_id
)

select * from final
