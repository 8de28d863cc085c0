{#- The annual amount of every item of every form: of the annual return, else the sum of its parts, never scaled up. -#}
with

used_cells as (
    select *
    from {{ ref('core_direct_report_cells') }}
    where cell_state = 'used' and amount is not null
),

-- Of one record, cells that a layout reads as one item (steam and hot water as heat) add up; of areas and counts the
-- first stands. Operations of one institution add up, whatever they measure.
record_items as (
    select
        form_code,
        form_role,
        institution_id_scheme,
        institution_id,
        catalog_item_id,
        item_code,
        year,
        period_kind,
        period_index,
        min(base_item_code) as base_item_code,
        min(carrier) as carrier,
        min(measure) as measure,
        min(unit) as unit,
        case when min(reported_unit) = max(reported_unit) then min(reported_unit) end as reported_unit,
        case when min(conversion_id) = max(conversion_id) then min(conversion_id) end as conversion_id,
        bool_or(is_corrected) as is_corrected,
        case when min(measure) in ('amount', 'cost') or min(record_kind) = 'operation' then sum(amount)
            else arg_min(amount, column_number)
        end as amount,
        case when min(measure) in ('amount', 'cost') or min(record_kind) = 'operation' then sum(reported_amount)
            else arg_min(reported_amount, column_number)
        end as reported_amount,
        min(struct_pack(p := path, s := sheet, r := row_number, c := column_number, f := file_id)) as place
    from used_cells
    group by
        form_code, form_role, institution_id_scheme, institution_id, catalog_item_id, item_code, year, period_kind,
        period_index, file_id, sheet, row_number
),

-- one value per institution (and room or class), period and item
cells as (
    select
        form_code,
        form_role,
        institution_id_scheme,
        institution_id,
        catalog_item_id,
        item_code,
        year,
        period_kind,
        period_index,
        min(base_item_code) as base_item_code,
        min(carrier) as carrier,
        min(measure) as measure,
        min(unit) as unit,
        case when min(reported_unit) = max(reported_unit) then min(reported_unit) end as reported_unit,
        case when min(conversion_id) = max(conversion_id) then min(conversion_id) end as conversion_id,
        bool_or(is_corrected) as is_corrected,
        sum(amount) as amount,
        sum(reported_amount) as reported_amount,
        min(place) as place
    from record_items
    group by all
),

institutions_with_annual_return as (
    select distinct
        form_code,
        institution_id_scheme,
        institution_id,
        catalog_item_id,
        year
    from cells
    where period_kind = 'year'
),

---------- flows: amounts and costs add up over the year

-- a quarter is its three months; else the quarterly return; else the months there are
quarters as (
    select
        form_code,
        institution_id_scheme,
        institution_id,
        catalog_item_id,
        item_code,
        year,
        case period_kind when 'quarter' then period_index else (period_index + 2) // 3 end as quarter,
        count(*) filter (where period_kind = 'month') as n_months,
        sum(amount) filter (where period_kind = 'month') as months_amount,
        sum(reported_amount) filter (where period_kind = 'month') as months_reported_amount,
        max(amount) filter (where period_kind = 'quarter') as quarter_amount,
        max(reported_amount) filter (where period_kind = 'quarter') as quarter_reported_amount
    from cells
    where measure in ('amount', 'cost') and period_kind in ('month', 'quarter')
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

parts as (
    select
        form_code,
        institution_id_scheme,
        institution_id,
        catalog_item_id,
        item_code,
        year,
        sum(amount) as amount,
        sum(reported_amount) as reported_amount,
        sum(n_months_covered) as n_months_covered,
        bool_and(is_quarterly) as is_quarterly
    from quarters_chosen
    group by all
),

annual as (
    select * from cells where measure in ('amount', 'cost') and period_kind = 'year'
),

-- what all cells of one institution, year and item have in common, and where the first of them lies
described as (
    select
        form_code,
        institution_id_scheme,
        institution_id,
        catalog_item_id,
        item_code,
        year,
        min(form_role) as form_role,
        min(base_item_code) as base_item_code,
        min(carrier) as carrier,
        min(measure) as measure,
        min(unit) as unit,
        case when min(reported_unit) = max(reported_unit) then min(reported_unit) end as reported_unit,
        case when min(conversion_id) = max(conversion_id) then min(conversion_id) end as conversion_id,
        bool_or(is_corrected) as is_corrected,
        arg_min(place, (period_kind <> 'year', period_kind, period_index)) as first_cell
    from cells
    group by all
),

flows as (
    select
        described.*,
        annual.amount as annual_amount,
        parts.amount as parts_amount,
        parts.n_months_covered,
        -- Never scaled up. Beside an annual return that leaves the item blank, the months stand in only when
        -- there are twelve of them: less would look like a year.
        case
            when annual.amount is not null then 'annual'
            when institutions_with_annual_return.year is not null and parts.n_months_covered < 12 then null
            when parts.is_quarterly then 'quarters'
            when parts.amount is not null then 'months'
        end as return_kind,
        case when return_kind = 'annual' then annual.amount when return_kind is not null then parts.amount end as amount,
        case when return_kind = 'annual' then annual.reported_amount
            when return_kind is not null and described.reported_unit is not null then parts.reported_amount
        end as reported_amount,
        case when return_kind = 'annual' then 12 when return_kind is not null then parts.n_months_covered end
            as months_reported
    from described
    left join annual
        using (form_code, institution_id_scheme, institution_id, catalog_item_id, item_code, year)
    left join parts
        using (form_code, institution_id_scheme, institution_id, catalog_item_id, item_code, year)
    left join institutions_with_annual_return
        using (form_code, institution_id_scheme, institution_id, catalog_item_id, year)
    where described.measure in ('amount', 'cost')
),

---------- stocks: areas, persons, counts and capacities are taken from the annual return, else from the last month

stocks as (
    select
        cells.*,
        case period_kind when 'year' then 'annual' when 'quarter' then 'quarters' else 'months' end as return_kind
    from cells
    where measure not in ('amount', 'cost')
    qualify row_number() over (
        partition by form_code, institution_id_scheme, institution_id, catalog_item_id, item_code, year
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
        annual_amount, parts_amount, n_months_covered, is_corrected, first_cell
    from flows

    union all

    select
        form_code, form_role, institution_id_scheme, institution_id, catalog_item_id, item_code, base_item_code, year,
        carrier, measure, unit, conversion_id, return_kind, amount, reported_amount, reported_unit, null as months_reported,
        null as annual_amount, null as parts_amount, null as n_months_covered, is_corrected,
        place as first_cell
    from stocks
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
