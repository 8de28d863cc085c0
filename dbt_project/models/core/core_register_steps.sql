{#- What a counting register moved between two readings. A register that was replaced goes on from its new start;
    one that falls without a replacement gives no amount: missing, never zero. -#}
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
        *,
        lag(ends_at) over in_time as previous_read_at,
        lag(amount) over in_time as previous_amount
    from single
    window in_time as (partition by building_code, meter_id, item_code order by ends_at)
),

moved as (
    select
        *,
        replaced_final is not null and replaced_start is not null as is_replaced,
        case
            when is_replaced and replaced_final >= previous_amount and amount >= replaced_start
                then (replaced_final - previous_amount) + (amount - replaced_start)
            when not is_replaced and amount >= previous_amount
                then amount - previous_amount
        end as moved_amount
    from followed
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
        files.path,
        moved.line,

        ---------- texts
        moved.unit_text,
        case
            when moved.moved_amount is null then 'decrease'
            when moved.is_replaced then 'replacement'
            else 'step'
        end as step_kind,

        ---------- times
        moved.previous_read_at as starts_at,
        moved.ends_at,

        ---------- register values and the amount that moved
        moved.previous_amount,
        moved.amount as register_amount,
        moved.replaced_final,
        moved.replaced_start,
        moved.multiplier,
        cast(cast(moved.moved_amount as decimal(19,4)) * moved.multiplier as decimal(18,4)) as amount
    from moved
    inner join files on moved.file_id = files.file_id
)

select * from final
