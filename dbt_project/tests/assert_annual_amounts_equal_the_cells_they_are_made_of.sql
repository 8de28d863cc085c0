-- Never scaled up: an annual amount is one annual cell, or the plain sum of month and quarter cells.
-- Told from the cells again, by another way than the model.
-- depends_on: {{ ref('institution_year') }}
with

cells as (
    select *
    from {{ ref('core_direct_report_cells') }}
    where cell_state = 'used' and form_role in ('return', 'supplement')
),

sums as (
    select
        institution_id_scheme,
        institution_id,
        year,
        item_code,
        sum(amount) filter (where period_kind = 'year') as annual_amount,
        sum(amount) filter (where period_kind = 'month') as months_amount,
        sum(amount) filter (where period_kind = 'quarter') as quarters_amount
    from cells
    group by all
)

select
    amounts.*,
    sums.annual_amount as annual_cells,
    sums.months_amount as month_cells,
    sums.quarters_amount as quarter_cells
from {{ ref('core_reported_amount') }} as amounts
left join sums using (institution_id_scheme, institution_id, year, item_code)
where amounts.measure in ('amount', 'cost')
    and amounts.amount is not null
    -- where months and quarters overlap, one of them is left out on purpose
    and not (amounts.return_kind <> 'annual' and sums.months_amount is not null and sums.quarters_amount is not null)
    and amounts.amount is distinct from
        case amounts.return_kind
            when 'annual' then sums.annual_amount
            when 'quarters' then sums.quarters_amount
            else sums.months_amount
        end
