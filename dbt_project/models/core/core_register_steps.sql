{#- What a counting register moved between two readings. A register that was replaced goes on from its new start. One
    that falls without a replacement went past its last digit or was reset to zero, where its layout says that it may;
    else, and over a gap that is too long to tell, it gives no amount: missing, never zero. -#}
with

readings as (
    select * from {{ ref('stg_metering__readings') }} where reading_kind = 'register'
),

repeated as (
    select file_id, line, column_number from {{ ref('core_repeated_readings') }}
),

files as (
    select * from {{ ref('stg_control__files') }}
),

rules as (
    select * from {{ ref('stg_control__reading_rules') }}
),

limits as (
    select max(limit_value) filter (where limit_key = 'register_fall_longest_days') as fall_longest_days
    from {{ ref('method_limits') }}
),

single as (
    select readings.*
    from readings
    anti join repeated
        on readings.file_id = repeated.file_id
        and readings.line = repeated.line
        and readings.column_number = repeated.column_number
),

followed as (
    select
        single.*,
        files.path,
        rules.register_capacity,
        rules.register_reset,
        lag(ends_at) over in_time as previous_read_at,
        lag(amount) over in_time as previous_amount,
        lag(path) over in_time as previous_path,
        lag(line) over in_time as previous_line
    from single
    inner join files on single.file_id = files.file_id
    left join rules on files.layout_id = rules.layout_id
    -- an hour that the clock shows twice: all of its first pass comes before its second
    window in_time as (
        partition by building_code, meter_id, item_code
        order by date_trunc('hour', ends_at), coalesce(is_second_pass, false), ends_at
    )
),

moved as (
    select
        *,
        case
            when replaced_final is not null and replaced_start is not null then 'replacement'
            when amount >= previous_amount then 'step'
            -- nobody saw how often the counter went round, or from when it counts: nothing is made up
            when (register_capacity is not null or register_reset is not null)
                and date_diff('second', previous_read_at, ends_at) > limits.fall_longest_days * 86400
                then 'decrease_over_gap'
            -- a register that ran past its last digit has moved less than half its range since
            when previous_amount < register_capacity
                and ((register_capacity - previous_amount) + amount) * 2 <= register_capacity then 'rollover'
            when register_reset = 'from_zero' and amount >= 0 then 'reset'
        end as found_kind,
        case found_kind
            when 'replacement' then case
                when replaced_final >= previous_amount and amount >= replaced_start
                    then (replaced_final - previous_amount) + (amount - replaced_start)
            end
            when 'step' then amount - previous_amount
            when 'rollover' then (register_capacity - previous_amount) + amount
            when 'reset' then amount
        end as moved_amount
    from followed
    cross join limits
    where previous_read_at is not null
),

final as (
    select
        ---------- ids
        moved.file_id,
        moved.building_code,
        moved.meter_id,
        moved.item_code,

        ---------- place
        moved.path,
        moved.line,
        moved.column_number,

        ---------- texts
        moved.unit_text,
        case
            when moved.moved_amount is not null or moved.found_kind = 'decrease_over_gap' then moved.found_kind
            else 'decrease'
        end as step_kind,

        ---------- times
        moved.previous_read_at as starts_at,
        moved.ends_at,

        ---------- the reading before
        moved.previous_path,
        moved.previous_line,

        ---------- register values and the amount that moved
        moved.previous_amount,
        moved.amount as register_amount,
        moved.replaced_final,
        moved.replaced_start,
        moved.multiplier,
        cast(cast(moved.moved_amount as decimal(19,4)) * moved.multiplier as decimal(18,4)) as amount
    from moved
)

select * from final
