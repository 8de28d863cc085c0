{#- Items that an institution reported both by year and by months or quarters, and that differ by more than the
    profile allows. Months that do not cover the year may only be less. -#}
with

builds as (
    select * from {{ ref('stg_control__build') }}
),

amounts as (
    select * from {{ ref('core_reported_amount') }}
),

compared as (
    select
        amounts.*,
        parts_amount - annual_amount as difference,
        {{ mul('annual_amount', 'builds.annual_month_tolerance_share') }} as tolerance
    from amounts
    cross join builds
    where amounts.annual_amount is not null and amounts.parts_amount is not null
),

final as (
    select
        ---------- ids
        institution_id_scheme,
        institution_id,
        year,
        item_code,

        ---------- texts
        carrier,
        measure,
        unit,

        ---------- amounts
        annual_amount,
        parts_amount,
        cast(difference as decimal(18,4)) as difference,
        {{ ratio('difference', 'annual_amount') }} as difference_share,
        n_months_covered,

        ---------- place of the annual cell
        file_id,
        path,
        sheet,
        row_number,
        column_number,
        {{ cell('column_number', 'row_number') }} as cell
    from compared
    where (n_months_covered = 12 and abs(difference) > abs(tolerance)) or difference > abs(tolerance)
)

select * from final
