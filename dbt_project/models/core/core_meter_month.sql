{#- What meters used by month. A reading stands as it was read, or as a rule of its layout repaired it; spans that
    cross a month's end are spread by day, parts of days by their time, and counted as spread. -#}
with

standing as (
    select * from {{ ref('core_standing_reading') }}
),

repairs as (
    select * from {{ ref('core_reading_repair') }}
),

steps as (
    select * from {{ ref('core_standing_step') }}
),

units as (
    select * from {{ ref('unit_conversions') }}
),

used as (
    select
        building_code, meter_id, item_code, unit_text, starts_at, ends_at, amount, multiplier,
        false as is_repaired, true as is_read
    from standing
    anti join repairs
        on standing.file_id = repairs.file_id
        and standing.line = repairs.line
        and standing.column_number = repairs.column_number

    union all

    select
        building_code, meter_id, item_code, unit_text, starts_at, ends_at, repaired_amount, multiplier,
        true, line is not null
    from repairs
    where reading_kind = 'interval'

    union all

    -- what a register moved has its multiplier already
    select
        building_code, meter_id, item_code, unit_text, starts_at, ends_at, amount, 1,
        step_kind in ('rollover', 'reset'), true
    from steps
),

-- nearly all readings lie inside one month: one pass, exact sums
inside as (
    select
        building_code,
        meter_id,
        item_code,
        unit_text,
        multiplier,
        is_repaired,
        false as is_spread,
        date_trunc('month', starts_at) as month_at,
        sum(amount) as amount,
        count(*) filter (where is_read) as n_readings,
        count(*) filter (where is_read and amount = 0) as n_zero_readings,
        count(*) filter (where is_read and amount is null) as n_missing_readings,
        count(*) filter (where is_repaired) as n_repaired_readings,
        -- what a rule made up covers nothing
        coalesce(sum(date_diff('second', starts_at, ends_at)) filter (where amount is not null and not is_repaired), 0)
            as covered_s
    from used
    where ends_at <= date_trunc('month', starts_at) + interval 1 month
    group by all
),

-- the others are spread over their months by time
spans as (
    select
        building_code, meter_id, item_code, unit_text, starts_at, ends_at, amount, multiplier, is_repaired, is_read
    from used
    where ends_at > date_trunc('month', starts_at) + interval 1 month
),

pieces as (
    select
        *,
        date_diff('second', starts_at, ends_at) as span_s,
        unnest(generate_series(
            date_trunc('month', starts_at), ends_at - interval 1 microsecond, interval 1 month
        )) as month_at
    from spans
),

-- the amount up to the end of each month, rounded; the pieces are its steps, so that they add up exactly
cumulated as (
    select
        *,
        month_at <= starts_at as is_first_piece,
        date_diff('second', starts_at, greatest(month_at, starts_at)) as from_s,
        date_diff('second', starts_at, least(month_at + interval 1 month, ends_at)) as to_s,
        case when from_s = 0 then cast(0 as decimal(18,4))
            else cast(cast(amount as double) * from_s / span_s as decimal(18,4)) end as from_amount,
        case when to_s = span_s then amount
            else cast(cast(amount as double) * to_s / span_s as decimal(18,4)) end as to_amount
    from pieces
),

spread as (
    select
        building_code,
        meter_id,
        item_code,
        unit_text,
        multiplier,
        is_repaired,
        from_s > 0 or to_s < span_s as is_spread,
        month_at,
        sum(to_amount - from_amount) as amount,
        count(*) filter (where is_first_piece and is_read) as n_readings,
        count(*) filter (where is_first_piece and is_read and amount = 0) as n_zero_readings,
        count(*) filter (where is_first_piece and is_read and amount is null) as n_missing_readings,
        count(*) filter (where is_first_piece and is_repaired) as n_repaired_readings,
        coalesce(sum(to_s - from_s) filter (where amount is not null and not is_repaired), 0) as covered_s
    from cumulated
    group by all
),

united as (
    select * from inside
    union all
    select * from spread
),

-- once for each meter, month and unit: the multiplier of the meter, then the worth of the unit
converted as (
    select
        united.*,
        units.canonical_unit,
        cast(cast(cast(cast(united.amount as decimal(19,4)) * united.multiplier as decimal(18,4)) as decimal(19,4))
            * units.multiplier as decimal(18,4)) as reported_amount
    from united
    left join units on united.unit_text = units.unit_text
),

final as (
    select
        ---------- ids
        building_code,
        meter_id,
        item_code,
        cast(year(month_at) as integer) as year,
        cast(month(month_at) as integer) as month,

        ---------- amounts
        cast(sum(reported_amount) as decimal(18,4)) as reported_amount,
        cast(coalesce(sum(reported_amount) filter (where is_repaired), 0) as decimal(18,4)) as repaired_amount,
        cast(coalesce(sum(reported_amount) filter (where is_spread), 0) as decimal(18,4)) as spread_amount,
        canonical_unit as reported_unit,

        ---------- counts
        cast(sum(n_readings) as bigint) as n_readings,
        cast(sum(n_zero_readings) as bigint) as n_zero_readings,
        cast(sum(n_missing_readings) as bigint) as n_missing_readings,
        cast(sum(n_repaired_readings) as bigint) as n_repaired_readings,
        cast(sum(covered_s) as bigint) as covered_s
    from converted
    group by all
)

select * from final
