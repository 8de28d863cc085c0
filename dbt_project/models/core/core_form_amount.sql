{#- The annual amount of every item of every form: of the annual return, else the sum of its parts, never scaled up. -#}

{%- set key -%}
form_code, institution_id_scheme, institution_id, catalog_item_id, item_code, year
{%- endset %}

with

used_cells as not materialized (
    select *
    from {{ ref('core_direct_report_cells') }}
    where cell_state = 'used' and amount is not null
),

institutions_with_annual_return as (
    select distinct
        form_code,
        institution_id_scheme,
        institution_id,
        catalog_item_id,
        year
    from used_cells
    where period_kind = 'year'
),

---------- flows: amounts and costs add up, the cells of a record that are read as one item (steam and hot water as heat) and
---------- the periods of a year. A province reports thirty million of them, which are passed over once

flow_cells as not materialized (
    select * from used_cells where measure in ('amount', 'cost')
),

-- in the order of their names
sheets as (
    select
        *,
        row_number() over (order by path, sheet, file_id) as sheet_number
    from (select distinct file_id, path, sheet from flow_cells)
),

-- one more than what each place is counted to
extents as (
    select
        (select count(*) + 1 from sheets) as n_sheets,
        (select cast(max(row_number) as bigint) + 1 from flow_cells) as n_rows,
        (select cast(max(column_number) as bigint) + 1 from flow_cells) as n_columns
),

-- Where a cell stands, as one number of 64 bits, since texts and wider numbers are dear to compare and to keep: annual returns
-- first, then months, then quarters; then by sheet, row and column.
placed as not materialized (
    select
        flow_cells.*,
        (
            (
                (case flow_cells.period_kind when 'year' then 0 when 'month' then 12 else 24 end + flow_cells.period_index)
                * extents.n_sheets + sheets.sheet_number
            ) * extents.n_rows + flow_cells.row_number
        ) * extents.n_columns + flow_cells.column_number as place_number
    from flow_cells
    inner join sheets on flow_cells.file_id = sheets.file_id and flow_cells.sheet is not distinct from sheets.sheet
    cross join extents
),

-- what an item is, and it is that in every edition of its form
items as (
    select
        form_code,
        item_code,
        any_value(form_role) as form_role,
        any_value(base_item_code) as base_item_code,
        any_value(carrier) as carrier,
        any_value(measure) as measure,
        any_value(unit) as unit
    from flow_cells
    group by form_code, item_code
),

-- the only step over all cells: few and short columns, and what cells mostly share groups more cheaply than it is compared
alike as (
    select
        {{ key }},
        period_kind,
        reported_unit,
        conversion_id,
        bool_or(is_corrected) as is_corrected,
        bit_or(1 << period_index) as periods,
        sum(amount) as amount,
        sum(reported_amount) as reported_amount,
        min(place_number) as place_number
    from placed
    group by {{ key }}, period_kind, reported_unit, conversion_id
),

reported as (
    select
        {{ key }},
        case when min(reported_unit) = max(reported_unit) then min(reported_unit) end as reported_unit,
        case when min(conversion_id) = max(conversion_id) then min(conversion_id) end as conversion_id,
        bool_or(is_corrected) as is_corrected,
        sum(amount) filter (where period_kind = 'year') as annual_amount,
        sum(reported_amount) filter (where period_kind = 'year') as annual_reported_amount,
        sum(amount) filter (where period_kind = 'month') as months_amount,
        sum(reported_amount) filter (where period_kind = 'month') as months_reported_amount,
        bit_count(bit_or(periods) filter (where period_kind = 'month')) as n_months,
        bool_or(period_kind = 'quarter') as has_quarters,
        min(place_number) as place_number
    from alike
    group by {{ key }}
),

-- a quarter is its three months; else the quarterly return; else the months there are
quarters as (
    select
        {{ key }},
        case period_kind when 'quarter' then period_index else (period_index + 2) // 3 end as quarter,
        count(distinct period_index) filter (where period_kind = 'month') as n_months,
        sum(amount) filter (where period_kind = 'month') as months_amount,
        sum(reported_amount) filter (where period_kind = 'month') as months_reported_amount,
        sum(amount) filter (where period_kind = 'quarter') as quarter_amount,
        sum(reported_amount) filter (where period_kind = 'quarter') as quarter_reported_amount
    from flow_cells
    semi join (select * from reported where has_quarters) as quarterly
        using ({{ key }})
    where period_kind in ('month', 'quarter')
    group by all
),

quarters_chosen as (
    select
        *,
        n_months < 3 and quarter_amount is not null as is_quarterly,
        case when is_quarterly then 3 else n_months end as n_months_covered,
        case when is_quarterly then quarter_amount else months_amount end as amount,
        case when is_quarterly then quarter_reported_amount else months_reported_amount end as reported_amount
    from quarters
),

quarterly as (
    select
        {{ key }},
        sum(amount) as amount,
        sum(reported_amount) as reported_amount,
        sum(n_months_covered) as n_months,
        bool_and(is_quarterly) as is_quarterly
    from quarters_chosen
    group by all
),

flows as (
    select
        reported.*,
        items.* exclude (form_code, item_code),
        struct_pack(
            p := sheets.path,
            s := sheets.sheet,
            r := cast(reported.place_number // extents.n_columns % extents.n_rows as integer),
            c := cast(reported.place_number % extents.n_columns as integer),
            f := sheets.file_id
        ) as first_cell,
        case when reported.has_quarters then quarterly.amount else reported.months_amount end as parts_amount,
        case when reported.has_quarters then quarterly.n_months else reported.n_months end as n_months_covered,
        -- Never scaled up. Beside an annual return that leaves the item blank, the months stand in only when
        -- there are twelve of them: less would look like a year.
        case
            when reported.annual_amount is not null then 'annual'
            when institutions_with_annual_return.year is not null and n_months_covered < 12 then null
            when quarterly.is_quarterly then 'quarters'
            when parts_amount is not null then 'months'
        end as return_kind,
        case when return_kind = 'annual' then reported.annual_amount when return_kind is not null then parts_amount end as amount,
        case when return_kind = 'annual' then reported.annual_reported_amount
            when return_kind is null or reported.reported_unit is null then null
            when reported.has_quarters then quarterly.reported_amount
            else reported.months_reported_amount
        end as reported_amount,
        case when return_kind = 'annual' then 12 when return_kind is not null then n_months_covered end as months_reported
    from reported
    inner join items using (form_code, item_code)
    cross join extents
    inner join sheets
        on reported.place_number // extents.n_columns // extents.n_rows % extents.n_sheets = sheets.sheet_number
    left join quarterly using ({{ key }})
    left join institutions_with_annual_return
        using (form_code, institution_id_scheme, institution_id, catalog_item_id, year)
),

---------- stocks: areas, persons, counts and capacities are taken from the annual return, else from the last month. Of the cells
---------- of one record the first stands; operations of one institution add up

stock_records as (
    select
        {{ key }},
        period_kind,
        period_index,
        min(form_role) as form_role,
        min(base_item_code) as base_item_code,
        min(carrier) as carrier,
        min(measure) as measure,
        min(unit) as unit,
        min(reported_unit) as first_reported_unit,
        max(reported_unit) as last_reported_unit,
        min(conversion_id) as first_conversion_id,
        max(conversion_id) as last_conversion_id,
        bool_or(is_corrected) as is_corrected,
        case when min(record_kind) = 'operation' then sum(amount) else arg_min(amount, column_number) end as amount,
        case when min(record_kind) = 'operation' then sum(reported_amount) else arg_min(reported_amount, column_number) end
            as reported_amount,
        min(struct_pack(p := path, s := sheet, r := row_number, c := column_number, f := file_id)) as place
    from used_cells
    where measure not in ('amount', 'cost')
    group by {{ key }}, period_kind, period_index, file_id, sheet, row_number
),

stocks as (
    select
        {{ key }},
        period_kind,
        period_index,
        min(form_role) as form_role,
        min(base_item_code) as base_item_code,
        min(carrier) as carrier,
        min(measure) as measure,
        min(unit) as unit,
        case when min(first_reported_unit) = max(last_reported_unit) then min(first_reported_unit) end as reported_unit,
        case when min(first_conversion_id) = max(last_conversion_id) then min(first_conversion_id) end as conversion_id,
        bool_or(is_corrected) as is_corrected,
        sum(amount) as amount,
        sum(reported_amount) as reported_amount,
        min(place) as first_cell
    from stock_records
    group by {{ key }}, period_kind, period_index
),

stocks_chosen as (
    select
        *,
        case period_kind when 'year' then 'annual' when 'quarter' then 'quarters' else 'months' end as return_kind
    from stocks
    qualify row_number() over (
        partition by {{ key }}
        order by
            period_kind = 'year' desc,
            case period_kind when 'quarter' then period_index * 3 else period_index end desc,
            period_kind
    ) = 1
),

united as (
    select
        form_code, form_role, institution_id_scheme, institution_id, catalog_item_id, item_code, base_item_code, year,
        carrier, measure, unit, conversion_id, return_kind, amount, reported_amount, reported_unit, months_reported,
        annual_amount, parts_amount, n_months_covered, is_corrected,
        first_cell
    from flows

    union all

    select
        form_code, form_role, institution_id_scheme, institution_id, catalog_item_id, item_code, base_item_code, year,
        carrier, measure, unit, conversion_id, return_kind, amount, reported_amount, reported_unit, null as months_reported,
        null as annual_amount, null as parts_amount, null as n_months_covered, is_corrected,
        first_cell
    from stocks_chosen
),

final as (
    select
        ---------- ids
        form_code,
        form_role,
        institution_id_scheme,
        institution_id,
        catalog_item_id,
        cast(year as integer) as year,
        item_code,
        base_item_code,
        conversion_id,

        ---------- texts
        carrier,
        measure,
        unit,
        return_kind,

        ---------- amounts
        cast(amount as decimal(18,4)) as amount,
        cast(reported_amount as decimal(18,4)) as reported_amount,
        reported_unit,
        cast(annual_amount as decimal(18,4)) as annual_amount,
        cast(parts_amount as decimal(18,4)) as parts_amount,

        ---------- counts
        cast(months_reported as integer) as months_reported,
        cast(n_months_covered as integer) as n_months_covered,

        ---------- booleans
        is_corrected,

        ---------- place of the annual cell, else of the first part
        first_cell.f as file_id,
        first_cell.p as path,
        first_cell.s as sheet,
        cast(first_cell.r as integer) as row_number,
        cast(first_cell.c as integer) as column_number
    from united
)

select * from final
