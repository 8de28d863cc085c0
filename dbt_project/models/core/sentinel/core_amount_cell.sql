{#- Every amount and cost above zero that a used return or an audit holds, cell by cell: what the search for slips of
    scale looks at. Cells that a layout adds up to one item (steam and hot water as heat) are left out: what the
    others hold says nothing about one of them. -#}
with

-- sums of data rooms and of classes are of another scale than the returns they belong to
reported as (
    select *
    from {{ ref('core_direct_report_cells') }}
    where cell_state = 'used' and form_role in ('return', 'supplement')
),

audited as (
    select * from {{ ref('stg_energy_audit__values') }}
),

carriers as (
    select * from {{ ref('carriers') }}
),

united as (
    select
        'direct_report' as source,
        reported.file_id,
        reported.form_code,
        reported.path,
        reported.sheet,
        reported.row_number,
        reported.column_number,
        reported.institution_id_scheme,
        reported.institution_id,
        reported.item_code,
        reported.carrier,
        reported.measure,
        reported.year,
        reported.period_kind,
        reported.period_index,
        reported.value_text,
        reported.used_number_text,
        reported.used_unit_text,
        reported.amount,
        reported.unit,
        reported.is_corrected
    from reported
    where reported.measure in ('amount', 'cost') and reported.amount is not null

    union all

    select
        'energy_audit', file_id, table_code, path, sheet, row_number, column_number, 'unknown', institution_id, item_code,
        carrier, measure, year, 'year', 0, value_text, used_number_text, used_unit_text, amount, unit, is_corrected
    from audited
    where measure in ('amount', 'cost') and amount is not null and period_kind = 'year'
),

-- an audit is one return of its table; overlapping audits stay apart
single as (
    select *
    from united
    qualify count(*) over (
        partition by source, form_code, institution_id_scheme, institution_id, item_code, year, period_kind,
            period_index, case when source = 'energy_audit' then file_id end
    ) = 1
),

final as (
    select
        ---------- ids
        row_number() over (
            order by single.source, single.file_id, single.sheet, single.row_number, single.column_number,
                single.institution_id, single.item_code, single.year, single.period_kind, single.period_index
        ) as cell_number,
        single.source,
        single.file_id,
        single.form_code,
        single.institution_id_scheme,
        single.institution_id,
        single.item_code,

        ---------- place
        single.path,
        single.sheet,
        single.row_number,
        single.column_number,
        {{ cell('single.column_number', 'single.row_number') }} as cell,

        ---------- texts
        single.carrier,
        coalesce(carriers.base_carrier, single.carrier) as base_carrier,
        single.measure,
        single.value_text,
        single.used_number_text as number_text,
        single.used_unit_text as unit_text,

        ---------- period
        single.year,
        single.period_kind,
        single.period_index,
        case single.period_kind when 'year' then 12 when 'quarter' then 3 else 1 end as n_months,

        ---------- amounts
        single.amount,
        single.unit,

        ---------- booleans
        single.is_corrected
    from single
    left join carriers on single.carrier = carriers.carrier
    where single.amount > 0
)

select * from final
