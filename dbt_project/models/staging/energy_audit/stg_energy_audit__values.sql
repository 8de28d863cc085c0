with

landed as (
    select * from {{ source('energy_audit', 'energy_audit__values') }}
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

used as (
    select
        *,
        coalesce(corrected_number_text, number_text) as used_number_text,
        coalesce(corrected_unit_text, unit_text) as used_unit_text
    from landed
),

valued as (
    select
        used.*,
        files.path,
        items.carrier,
        items.measure,
        items.canonical_unit,
        units.canonical_unit as reported_unit,
        try_cast(used.used_number_text as decimal(18,6)) as number,
        case
            when used.used_unit_text is null and items.measure = 'persons' then 1
            else units.multiplier
        end as unit_multiplier,
        case
            when used.used_unit_text is null and items.measure = 'persons' then 1
            when units.canonical_unit = items.canonical_unit then 1
            else carrier_conversions.multiplier
        end as carrier_multiplier
    from used
    inner join files on used.file_id = files.file_id
    left join items on used.item_code = items.item_code
    left join units on used.used_unit_text = units.unit_text
    left join carrier_conversions
        on items.carrier = carrier_conversions.carrier
        and units.canonical_unit = carrier_conversions.from_unit
        and items.canonical_unit = carrier_conversions.to_unit
),

final as (
    select
        ---------- ids
        file_id,
        layout_id,
        institution_id,
        table_code,
        item_code,
        correction_id,

        ---------- place
        path,
        sheet,
        row_number,
        column_number,

        ---------- texts
        institution_name,
        carrier,
        measure,
        value_text,
        unit_text,
        used_number_text,
        used_unit_text,

        ---------- period
        year,
        coalesce(period_kind, 'year') as period_kind,
        coalesce(period_index, 0) as period_index,

        ---------- the release of the report
        audit_year,
        release_number,
        released_on,
        release_status,

        ---------- amounts
        {{ converted('number', 'unit_multiplier', 'carrier_multiplier') }} as amount,
        canonical_unit as unit,

        ---------- booleans
        correction_id is not null as is_corrected,
        measure is not null and unit_multiplier is not null and carrier_multiplier is not null as is_convertible,
        {{ has_lost_digits('used_number_text', 'coalesce(unit_multiplier, 1)') }} as has_lost_digits
    from valued
)

select * from final
