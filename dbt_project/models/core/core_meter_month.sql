with

readings as (
    select * from {{ ref('stg_metering__readings') }} where reading_kind = 'interval'
),

repeated as (
    select file_id, line, column_number from {{ ref('core_repeated_readings') }}
),

steps as (
    select * from {{ ref('core_register_steps') }}
),

units as (
    select * from {{ ref('unit_conversions') }}
),

single as (
    select readings.*
    from readings
    anti join repeated
        on readings.file_id = repeated.file_id
        and readings.line = repeated.line
        and readings.column_number = repeated.column_number
),

-- nearly all readings lie inside one month: one pass, exact sums
inside as (
    select
        building_code,
        meter_id,
        item_code,
        unit_text,
        date_trunc('month', starts_at) as month_at,
        sum(amount) as amount,
        count(*) as n_readings,
        count(*) filter (where amount = 0) as n_zero_readings,
        count(*) filter (where amount is null) as n_missing_readings,
        coalesce(sum(date_diff('second', starts_at, ends_at)) filter (where amount is not null), 0) as covered_s
    from single
    where ends_at <= date_trunc('month', starts_at) + interval 1 month
    group by all
),

-- the others, and what registers moved between two readings, are spread over their months by time
spans as (
    select building_code, meter_id, item_code, unit_text, starts_at, ends_at, amount, false as is_register
    from single
    where ends_at > date_trunc('month', starts_at) + interval 1 month

    union all

    select building_code, meter_id, item_code, unit_text, starts_at, ends_at, amount, true as is_register
    from steps
),

pieces as (
    select
        *,
        date_diff('second', starts_at, ends_at) as span_s,
        unnest(generate_series(
            date_trunc('month', starts_at), ends_at - interval 1 microsecond, interval 1 month
        )) as month_at
    from spans
    where ends_at > starts_at
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
        month_at,
        sum(to_amount - from_amount) as amount,
        count(*) filter (where is_first_piece) as n_readings,
        count(*) filter (where is_first_piece and amount = 0) as n_zero_readings,
        count(*) filter (where is_first_piece and amount is null) as n_missing_readings,
        coalesce(sum(to_s - from_s) filter (where amount is not null), 0) as covered_s
    from cumulated
    group by all
),

united as (
    select * from inside
    union all
    select * from spread
),

final as (
    select
        ---------- ids
        united.building_code,
        united.meter_id,
        united.item_code,
        cast(year(united.month_at) as integer) as year,
        cast(month(united.month_at) as integer) as month,

        ---------- amounts
        cast(sum(cast(cast(united.amount as decimal(19,4)) * units.multiplier as decimal(18,4))) as decimal(18,4))
            as reported_amount,
        units.canonical_unit as reported_unit,

        ---------- counts
        cast(sum(united.n_readings) as bigint) as n_readings,
        cast(sum(united.n_zero_readings) as bigint) as n_zero_readings,
        cast(sum(united.n_missing_readings) as bigint) as n_missing_readings,
        cast(sum(united.covered_s) as bigint) as covered_s
    from united
    left join units on united.unit_text = units.unit_text
    group by all
)

select * from final
