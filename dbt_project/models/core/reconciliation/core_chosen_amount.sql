{{ config(materialized='view') }}

{#- What figures are made of: the reported amounts, and in their place those of another source where a declared precedence or a
    reviewer says so. Where nothing is declared every row is the reported one. -#}
with

reported as not materialized (
    select * from {{ ref('core_reported_amount') }}
),

choices as (
    select * from {{ ref('core_source_choice') }}
),

others as (
    select * from {{ ref('core_source_amount') }} where period_kind = 'year'
),

-- choices that change something, with the cell of an audit; readings of a year have no one cell
changes as (
    select
        choices.institution_id_scheme,
        choices.institution_id,
        choices.year,
        choices.carrier,
        choices.chosen_source,
        choices.chosen_amount,
        choices.unit,
        case when choices.chosen_source = 'audited' then others.file_id end as file_id,
        case when choices.chosen_source = 'audited' then others.path end as path,
        case when choices.chosen_source = 'audited' then others.sheet end as sheet,
        case when choices.chosen_source = 'audited' then others.row_number end as row_number,
        case when choices.chosen_source = 'audited' then others.column_number end as column_number,
        'amount' as measure
    from choices
    left join others using (institution_id_scheme, institution_id, year, carrier)
    where choices.chosen_source <> 'reported'
),

kept as (
    select reported.*
    from reported
    anti join changes using (institution_id_scheme, institution_id, year, carrier, measure)
),

-- the item of the return stays where there is one
items as (
    select institution_id_scheme, institution_id, year, carrier, measure, min(item_code) as item_code
    from reported
    semi join changes using (institution_id_scheme, institution_id, year, carrier, measure)
    group by all
),

changed as (
    select
        changes.*,
        items.item_code,
        changes.chosen_source as return_kind,
        changes.chosen_amount as amount,
        changes.chosen_amount as reported_amount,
        changes.unit as reported_unit,
        false as is_corrected
    from changes
    left join items using (institution_id_scheme, institution_id, year, carrier, measure)
    where changes.chosen_amount is not null
),

united as (
    select *, 'reported' as chosen_source from kept
    union all by name
    select * exclude (chosen_amount) from changed
),

final as (
    select
        ---------- ids
        institution_id_scheme,
        institution_id,
        year,
        item_code,
        conversion_id,

        ---------- texts
        carrier,
        measure,
        unit,
        return_kind,
        chosen_source,

        ---------- amounts
        amount,
        reported_amount,
        reported_unit,
        annual_amount,
        parts_amount,

        ---------- counts
        months_reported,
        n_months_covered,

        ---------- booleans
        is_corrected,

        ---------- place of the annual cell, else of the first part; none of readings
        file_id,
        path,
        sheet,
        row_number,
        column_number
    from united
)

select * from final
