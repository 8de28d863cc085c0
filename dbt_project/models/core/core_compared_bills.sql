{#- Bills that an auditor or owner handed in, held against the meter's own reading of the same span. Neither is
    corrected by the other: both amounts stand here with both places. A bill of a metered span that has no reading
    stands here too. Starts from the few bills; readings that stand more than once have their own account in core_repeated_readings. -#}
with

bills as (
    select * from {{ ref('stg_energy_audit__bills') }}
),

readings as (
    select * from {{ ref('stg_metering__readings') }}
),

repeated as (
    select * from {{ ref('core_repeated_readings') }}
),

files as (
    select * from {{ ref('stg_control__files') }}
),

items as (
    select * from {{ ref('metering_items') }}
),

units as (
    select * from {{ ref('unit_conversions') }}
),

carrier_conversions as (
    select * from {{ ref('carrier_conversions') }}
),

standing as (
    select
        readings.*,
        items.carrier,
        items.canonical_unit
    from readings
    inner join items on readings.item_code = items.item_code
    semi join bills on readings.building_code = bills.building_code and readings.meter_id = bills.meter_id
    anti join repeated
        on readings.file_id = repeated.file_id
        and readings.line = repeated.line
        and readings.column_number is not distinct from repeated.column_number
    where readings.reading_kind = 'interval'
),

-- the same way as the bills, so that equal texts give equal amounts
metered as (
    select
        standing.*,
        files.path,
        {{ converted(
            'cast(standing.amount * standing.multiplier as decimal(19,6))', 'units.multiplier',
            'case when units.canonical_unit = standing.canonical_unit then 1 else carrier_conversions.multiplier end'
        ) }} as metered_amount
    from standing
    inner join files on standing.file_id = files.file_id
    left join units on standing.unit_text = units.unit_text
    left join carrier_conversions
        on standing.carrier = carrier_conversions.carrier
        and units.canonical_unit = carrier_conversions.from_unit
        and standing.canonical_unit = carrier_conversions.to_unit
),

meters as (
    select distinct building_code, meter_id, carrier from standing
),

final as (
    select
        ---------- ids
        bills.building_code,
        bills.meter_id,
        bills.carrier,

        ---------- times
        bills.starts_at,
        bills.ends_at,

        ---------- the bill
        bills.path,
        bills.sheet,
        bills.row_number,
        bills.cell,
        bills.value_text,
        bills.unit_text,

        ---------- the reading
        metered.path as reading_path,
        metered.line as reading_line,
        case when metered.column_number is not null then {{ cell('metered.column_number', 'metered.line') }} end
            as reading_cell,
        cast(metered.amount as varchar) as reading_text,
        metered.unit_text as reading_unit_text,

        ---------- amounts
        bills.amount,
        metered.metered_amount,
        cast(bills.amount - metered.metered_amount as decimal(18,4)) as metered_difference,
        bills.unit
    from bills
    semi join meters
        on bills.building_code = meters.building_code
        and bills.meter_id = meters.meter_id
        and bills.carrier = meters.carrier
    left join metered
        on bills.building_code = metered.building_code
        and bills.meter_id = metered.meter_id
        and bills.carrier = metered.carrier
        and bills.starts_at = metered.starts_at
        and bills.ends_at = metered.ends_at
)

select * from final
