{{ config(materialized='view') }}

{#- What counts: the items of the forms that are returns, and of the supplement that stands beside them. Parts and summaries are
    never added to them. -#}
with

amounts as (
    select * from {{ ref('core_form_amount') }}
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

        ---------- place of the annual cell, else of the first part
        file_id,
        path,
        sheet,
        row_number,
        column_number
    from amounts
    where form_role in ('return', 'supplement')
)

select * from final
