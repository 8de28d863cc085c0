{#- A meter that from some day on counts in another unit, or with another multiplier. Season is taken out by the same
    weekday 52 weeks later: d = ln(amount) - ln(amount 364 days on) is level where nothing happened, whatever the
    heating does, and steps where the unit of one of the two years moved. Days of zero say nothing: a heating that is
    switched off has no level. A series without a second year must jump much further. Ratios are doubles: they judge,
    they are never summed. -#}
with

readings as (
    select * from {{ ref('core_standing_reading') }} where amount > 0
),

units as (
    select * from {{ ref('unit_conversions') }}
),

items as (
    select * from {{ ref('metering_items') }}
),

carrier_conversions as (
    select * from {{ ref('carrier_conversions') }}
),

ratios as (
    select * from {{ ref('meter_break_ratios') }}
),

files as (
    select * from {{ ref('stg_control__files') }}
),

limits as (
    select
        cast(max(limit_value) filter (where limit_key = 'meter_break_window_days') as bigint) as window_days,
        cast(max(limit_value) filter (where limit_key = 'meter_break_min_days') as bigint) as min_days,
        cast(max(limit_value) filter (where limit_key = 'meter_break_min_ratio') as double) as min_ratio,
        cast(max(limit_value) filter (where limit_key = 'meter_break_min_ratio_alone') as double) as min_ratio_alone,
        cast(max(limit_value) filter (where limit_key = 'meter_break_ratio_tolerance') as double) as ratio_tolerance
    from {{ ref('method_limits') }}
),

days as (
    select
        readings.building_code,
        readings.meter_id,
        readings.item_code,
        cast(readings.starts_at as date) as day_on,
        -- in the unit of the item, so that a unit that was corrected no longer breaks
        ln(sum(cast(readings.amount as double) * readings.multiplier * units.multiplier * case
            when units.canonical_unit = items.canonical_unit then 1
            else carrier_conversions.multiplier
        end)) as level,
        max(readings.unit_text) as unit_text,
        min(readings.file_id) as file_id,
        min(readings.line) as line
    from readings
    inner join units on readings.unit_text = units.unit_text
    inner join items on readings.item_code = items.item_code
    left join carrier_conversions
        on items.carrier = carrier_conversions.carrier
        and units.canonical_unit = carrier_conversions.from_unit
        and items.canonical_unit = carrier_conversions.to_unit
    where readings.ends_at <= readings.starts_at + interval 1 day
    group by readings.building_code, readings.meter_id, readings.item_code, day_on
),

paired as (
    select
        here.*,
        here.level - there.level as compared_level,
        there.level as other_level,
        there.day_on as other_day_on,
        'year_on_year' as basis
    from days as here
    inner join days as there
        on here.building_code = there.building_code
        and here.meter_id is not distinct from there.meter_id
        and here.item_code = there.item_code
        and there.day_on = here.day_on + 364
),

alone as (
    select
        days.*,
        days.level as compared_level,
        cast(null as double) as other_level,
        cast(null as date) as other_day_on,
        'level' as basis
    from days
    anti join paired
        on days.building_code = paired.building_code
        and days.meter_id is not distinct from paired.meter_id
        and days.item_code = paired.item_code
),

series as (
    select * from paired
    union all
    select * from alone
),

-- middle, first and last decile of the window on either side of each day
sides as (
    select
        series.*,
        limits.*,
        lag(series.day_on) over in_time as last_day_before_on,
        lag(series.other_day_on) over in_time as last_other_day_before_on,
        count(*) over before as n_days_before,
        count(*) over after as n_days_after,
        median(series.compared_level) over before as level_before,
        median(series.compared_level) over after as level_after,
        quantile_cont(series.compared_level, 0.1) over before as low_before,
        quantile_cont(series.compared_level, 0.9) over before as high_before,
        quantile_cont(series.compared_level, 0.1) over after as low_after,
        quantile_cont(series.compared_level, 0.9) over after as high_after,
        avg(series.compared_level) over week_before as near_before,
        avg(series.compared_level) over week_after as near_after,
        median(series.level) over after - median(series.level) over before as own_step,
        median(series.other_level) over after - median(series.other_level) over before as other_step
    from series
    cross join limits
    window
        in_time as (partition by building_code, meter_id, item_code order by day_on),
        before as (
            partition by building_code, meter_id, item_code order by day_on
            rows between window_days preceding and 1 preceding
        ),
        after as (
            partition by building_code, meter_id, item_code order by day_on
            rows between current row and window_days - 1 following
        ),
        week_before as (
            partition by building_code, meter_id, item_code order by day_on rows between 7 preceding and 1 preceding
        ),
        week_after as (
            partition by building_code, meter_id, item_code order by day_on rows between current row and 6 following
        )
),

-- the two sides do not overlap, and the day where they part most is the day
stepped as (
    select
        *,
        level_after - level_before as step
    from sides
    where n_days_before >= min_days
        and n_days_after >= min_days
        and abs(level_after - level_before)
            >= ln(case basis when 'level' then min_ratio_alone else min_ratio end)
        and case when level_after < level_before then high_after < low_before else low_after > high_before end
    qualify row_number() over (
        partition by building_code, meter_id, item_code
        order by abs(near_after - near_before) desc, day_on
    ) = 1
),

-- a step of the difference is a break of this year, or the opposite one of the year after
dated as (
    select
        *,
        basis = 'year_on_year' and abs(other_step) > abs(own_step) as is_in_other_year,
        case when is_in_other_year then -step else step end as own_shift,
        case when is_in_other_year then last_other_day_before_on else last_day_before_on end + 1 as broke_on,
        case when is_in_other_year then other_day_on else day_on end as resumed_on,
        exp(abs(step)) as level_ratio
    from stepped
),

named as (
    select
        dated.*,
        items.carrier,
        ratios.break_ratio_id,
        ratios.name_zh as ratio_name_zh,
        ratios.name_en as ratio_name_en,
        case when dated.own_shift < 0 then ratios.unit_after else ratios.unit_before end as proposed_unit
    from dated
    inner join items on dated.item_code = items.item_code
    left join ratios
        on ratios.carrier in ('*', items.carrier)
        and abs(ln(dated.level_ratio) - ln(cast(ratios.ratio as double))) <= ln(dated.ratio_tolerance)
    qualify row_number() over (
        partition by dated.building_code, dated.meter_id, dated.item_code
        order by abs(ln(dated.level_ratio) - ln(cast(ratios.ratio as double))), ratios.break_ratio_id
    ) = 1
),

final as (
    select
        ---------- ids
        building_code,
        meter_id,
        item_code,
        break_ratio_id,

        ---------- texts
        carrier,
        unit_text,
        proposed_unit,
        ratio_name_zh,
        ratio_name_en,
        basis,

        ---------- place of the first day that was compared
        named.file_id,
        files.path,
        named.line,

        ---------- days
        cast(broke_on as date) as broke_on,
        cast(resumed_on as date) as resumed_on,

        ---------- the step
        own_shift < 0 as is_fall,
        level_ratio,
        exp(abs(own_step)) as own_ratio,

        ---------- counts
        n_days_before,
        n_days_after
    from named
    inner join files on named.file_id = files.file_id
)

select * from final
