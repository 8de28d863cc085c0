-- What was read and stands, plus what rules changed, plus register steps, is what months hold, by item and unit, to the last digit.
-- Only a unit that is no whole number of its canonical one (a Btu of kWh) leaves each month the rounding of its own last digit.
-- depends_on: {{ ref('building_year') }}
with

out as (
    select file_id, line, column_number from {{ ref('core_repeated_readings') }}
    union all
    select file_id, line, column_number from {{ ref('core_overlapping_readings') }}
    union all
    select file_id, line, column_number from {{ ref('core_doubled_readings') }} where reading_kind = 'interval'
),

landed as (
    select readings.item_code, readings.unit_text, readings.multiplier, sum(readings.amount) as amount
    from {{ ref('stg_metering__readings') }} as readings
    anti join out
        on readings.file_id = out.file_id
        and readings.line = out.line
        and readings.column_number = out.column_number
    where readings.reading_kind = 'interval'
    group by all

    union all

    select
        item_code, unit_text, multiplier,
        sum(coalesce(repaired_amount, 0)) - sum(coalesce(raw_amount, 0))
    from {{ ref('core_reading_repair') }}
    where reading_kind = 'interval'
    group by all

    union all

    select item_code, unit_text, 1, sum(amount) from {{ ref('core_standing_step') }} group by all
),

expected as (
    select
        landed.item_code,
        units.canonical_unit as reported_unit,
        sum(cast(cast(cast(cast(landed.amount as decimal(19,4)) * landed.multiplier as decimal(18,4)) as decimal(19,4)) * units.multiplier as decimal(18,4))) as amount,
        bool_or(units.multiplier <> trunc(units.multiplier)) as is_rounded
    from landed
    left join {{ ref('unit_conversions') }} as units on landed.unit_text = units.unit_text
    group by all
),

found as (
    select item_code, reported_unit, sum(reported_amount) as amount, count(*) as n_months
    from {{ ref('core_meter_month') }}
    group by all
)

select *
from expected
full join found
    on expected.item_code = found.item_code
    and expected.reported_unit is not distinct from found.reported_unit
where expected.amount is distinct from found.amount
    and not coalesce(expected.is_rounded and abs(expected.amount - found.amount) <= found.n_months * 0.0001, false)
