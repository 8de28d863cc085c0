-- A table, not a view: its seven joins would run once for each model that reads it.
{{ config(materialized='table') }}

with

landed as (
    select * from {{ source('direct_report', 'direct_report__values') }}
),

files as (
    select * from {{ ref('stg_control__files') }}
),

items as (
    select * from {{ ref('direct_report_items') }}
),

forms as (
    select * from {{ ref('direct_report_forms') }}
),

units as (
    select * from {{ ref('unit_conversions') }}
),

carriers as (
    select * from {{ ref('carriers') }}
),

carrier_conversions as (
    select * from {{ ref('carrier_conversions') }}
),

task_states as (
    select * from {{ ref('task_states') }}
),

-- the code list of an edition: what came with it or before and was not removed; before the first edition, the first
editions as (
    select
        landed.form_code,
        landed.edition,
        greatest(landed.edition, min(items.edition_from)) as code_list
    from (select distinct form_code, edition from landed) as landed
    inner join items on landed.form_code = items.form_code
    group by landed.form_code, landed.edition
),

items_of_editions as (
    select
        editions.edition,
        items.*
    from editions
    inner join items
        on editions.form_code = items.form_code
        and items.edition_from <= editions.code_list
        and coalesce(items.removed_in > editions.code_list, true)
),

used as (
    select
        landed.*,
        coalesce(landed.corrected_number_text, landed.number_text) as used_number_text,
        coalesce(landed.corrected_unit_text, landed.unit_text) as used_unit_text
    from landed
),

valued as (
    select
        used.*,
        files.path,
        forms.form_role,
        items_of_editions.base_item_code,
        items_of_editions.carrier,
        items_of_editions.measure,
        items_of_editions.canonical_unit,
        used_units.canonical_unit as reported_unit,
        coalesce(task_states.is_counted, false) as is_counted,
        used.correction_id is not null as is_corrected,
        try_cast(used.used_number_text as decimal(18,6)) as used_number,
        try_cast(used.number_text as decimal(18,6)) as submitted_number,
        case
            when items_of_editions.canonical_unit is null then 1
            else used_units.multiplier
        end as unit_multiplier,
        case
            when items_of_editions.canonical_unit is null then 1
            when used_units.canonical_unit = items_of_editions.canonical_unit then 1
            else used_conversions.multiplier
        end as carrier_multiplier,
        case
            when items_of_editions.canonical_unit is null then 1
            when submitted_units.canonical_unit = items_of_editions.canonical_unit then submitted_units.multiplier
            else submitted_units.multiplier * cast(submitted_conversions.multiplier as decimal(19,8))
        end as submitted_multiplier,
        case
            when used_units.canonical_unit <> items_of_editions.canonical_unit
                then 'CV-' || carriers.base_carrier || '-' || used_units.canonical_unit
                    || '-' || items_of_editions.canonical_unit
        end as conversion_id
    from used
    inner join files on used.file_id = files.file_id
    left join forms on used.form_code = forms.form_code
    left join items_of_editions
        on used.form_code = items_of_editions.form_code
        and used.edition is not distinct from items_of_editions.edition
        and used.item_code = items_of_editions.item_code
    left join carriers on items_of_editions.carrier = carriers.carrier
    left join task_states on used.task_state = task_states.task_state
    left join units as used_units on used.used_unit_text = used_units.unit_text
    left join units as submitted_units on used.unit_text = submitted_units.unit_text
    left join carrier_conversions as used_conversions
        on carriers.base_carrier = used_conversions.carrier
        and used_units.canonical_unit = used_conversions.from_unit
        and items_of_editions.canonical_unit = used_conversions.to_unit
    left join carrier_conversions as submitted_conversions
        on carriers.base_carrier = submitted_conversions.carrier
        and submitted_units.canonical_unit = submitted_conversions.from_unit
        and items_of_editions.canonical_unit = submitted_conversions.to_unit
),

final as (
    select
        ---------- ids
        file_id,
        layout_id,
        layout_family,
        form_code,
        form_role,
        edition,
        coalesce(institution_id_scheme, 'unknown') as institution_id_scheme,
        institution_id,
        coalesce(catalog_item_id, '') as catalog_item_id,
        item_code,
        base_item_code,
        correction_id,
        conversion_id,

        ---------- place
        path,
        sheet,
        row_number,
        column_number,

        ---------- texts
        institution_name,
        region_code,
        institution_type_code,
        record_kind,
        carrier,
        measure,
        task_state,
        value_text,
        unit_text,
        used_number_text,
        used_unit_text,

        ---------- period
        year,
        period_kind,
        period_index,
        year_starts_on,
        coalesce(release_number, 0) as release_number,

        ---------- amounts
        {{ converted('used_number', 'unit_multiplier', 'carrier_multiplier') }} as amount,
        canonical_unit as unit,
        {{ converted('used_number', 'unit_multiplier') }} as reported_amount,
        coalesce(reported_unit, canonical_unit) as reported_unit,
        {{ converted('submitted_number', 'submitted_multiplier') }} as submitted_amount,

        ---------- booleans
        is_counted,
        is_corrected,
        measure is not null and unit_multiplier is not null and carrier_multiplier is not null as is_convertible,
        {{ has_lost_digits('used_number_text', 'coalesce(unit_multiplier, 1)') }} as has_lost_digits
    from valued
)

select * from final
