{#- Interval readings that count: no other of the same span stands before them, no span of another length and no step of
    their meter's counter covers them. -#}
{{ config(materialized='view') }}
with

readings as (
    select * from {{ ref('stg_metering__readings') }} where reading_kind = 'interval'
),

set_aside as (
    select file_id, line, column_number from {{ ref('core_repeated_readings') }}
    union all
    select file_id, line, column_number from {{ ref('core_overlapping_readings') }}
    union all
    select file_id, line, column_number from {{ ref('core_doubled_readings') }} where reading_kind = 'interval'
),

final as (
    select
        ---------- ids
        readings.file_id,
        readings.building_code,
        readings.meter_id,
        readings.item_code,

        ---------- place
        readings.line,
        readings.column_number,

        ---------- texts
        readings.unit_text,

        ---------- times
        readings.starts_at,
        readings.ends_at,

        ---------- amounts
        readings.amount,
        readings.multiplier
    from readings
    anti join set_aside
        on readings.file_id = set_aside.file_id
        and readings.line = set_aside.line
        and readings.column_number = set_aside.column_number
)

select * from final
