with

landed as (
    select * from {{ source('energy_audit', 'energy_audit__bills') }}
),

files as (
    select * from {{ ref('stg_control__files') }}
),

items as (
    select * from {{ ref('audit_items') }}
),

units as (
    select * from {{ ref('unit_conversions') }}
),

carrier_conversions as (
    select * from {{ ref('carrier_conversions') }}
),

valued as (
    select
        landed.*,
        files.path,
        items.carrier,
        items.canonical_unit,
        units.multiplier as unit_multiplier,
        case when units.canonical_unit = items.canonical_unit then 1 else carrier_conversions.multiplier end
            as carrier_multiplier
    from landed
    inner join files on landed.file_id = files.file_id
    left join items on landed.item_code = items.item_code
    left join units on landed.unit_text = units.unit_text
    left join carrier_conversions
        on items.carrier = carrier_conversions.carrier
        and units.canonical_unit = carrier_conversions.from_unit
        and items.canonical_unit = carrier_conversions.to_unit
),

final as (
    select
        ---------- ids
        file_id,
        building_code,
        meter_id,
        item_code,

        ---------- place
        path,
        sheet,
        row_number,
        column_number,
        {{ cell('column_number', 'row_number') }} as cell,

        ---------- texts
        carrier,
        value_text,
        unit_text,

        ---------- times
        starts_at,
        ends_at,

        ---------- amounts
        {{ converted('try_cast(number_text as decimal(18,6))', 'unit_multiplier', 'carrier_multiplier') }} as amount,
        canonical_unit as unit
    from valued
)

select * from final
