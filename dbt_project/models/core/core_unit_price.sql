{#- What one unit of a carrier cost, as submitted and as used, beside the median price of all institutions in the
    year. A slip of scale is seen here first: the price moves by a thousand or ten thousand. -#}
with

cells as (
    select *
    from {{ ref('core_direct_report_cells') }}
    where cell_state = 'used' and form_role = 'return' and measure in ('amount', 'cost')
),

paired as (
    select
        institution_id_scheme,
        institution_id,
        year,
        period_kind,
        period_index,
        carrier,
        max(unit) filter (where measure = 'amount') as unit,
        sum(submitted_amount) filter (where measure = 'amount') as submitted_amount,
        sum(submitted_amount) filter (where measure = 'cost') as submitted_cost_cny,
        sum(amount) filter (where measure = 'amount') as used_amount,
        sum(amount) filter (where measure = 'cost') as used_cost_cny,
        bool_or(is_corrected) as is_corrected,
        any_value(struct_pack(
            f := file_id, p := path, s := sheet, r := row_number, c := column_number, v := value_text, u := unit_text
        ) order by column_number) filter (where measure = 'amount') as amount_cell,
        any_value(struct_pack(c := column_number, v := value_text, u := unit_text) order by column_number)
            filter (where measure = 'cost') as cost_cell
    from cells
    group by all
),

priced as (
    select
        *,
        {{ ratio('submitted_cost_cny', 'submitted_amount') }} as submitted_price,
        {{ ratio('used_cost_cny', 'used_amount') }} as used_price
    from paired
    where used_amount is not null or submitted_amount is not null
),

compared as (
    select
        *,
        median(used_price) filter (where used_price > 0) over (partition by carrier, year) as median_price,
        count(used_price) filter (where used_price > 0) over (partition by carrier, year) as n_prices
    from priced
),

final as (
    select
        ---------- ids
        institution_id_scheme,
        institution_id,
        year,
        period_kind,
        period_index,
        carrier,

        ---------- as submitted
        cast(submitted_amount as decimal(18,4)) as submitted_amount,
        cast(submitted_cost_cny as decimal(18,4)) as submitted_cost_cny,
        submitted_price,
        submitted_price / median_price as submitted_price_ratio,

        ---------- as used
        cast(used_amount as decimal(18,4)) as used_amount,
        cast(used_cost_cny as decimal(18,4)) as used_cost_cny,
        used_price,
        used_price / median_price as used_price_ratio,

        ---------- what others pay
        median_price,
        n_prices,

        ---------- booleans
        is_corrected as is_mended,

        ---------- place of the amount, and of the cost in the same line
        amount_cell.f as file_id,
        amount_cell.p as path,
        amount_cell.s as sheet,
        amount_cell.r as row_number,
        amount_cell.c as column_number,
        {{ cell('amount_cell.c', 'amount_cell.r') }} as cell,
        amount_cell.v as value_text,
        amount_cell.u as unit_text,
        {{ cell('cost_cell.c', 'amount_cell.r') }} as cost_cell,
        cost_cell.v as cost_value_text,
        cost_cell.u as cost_unit_text
    from compared
)

select * from final
