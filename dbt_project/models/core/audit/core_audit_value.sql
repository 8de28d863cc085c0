{#- Audited values of the reports that count: one per institution, year and item; where audits of several years overlap,
    that of the newest audited year stands. -#}
with

landed as (
    select * from {{ ref('stg_energy_audit__values') }}
),

reports as (
    select * from {{ ref('core_audit_record') }}
),

counted as (
    select
        landed.*,
        reports.audit_year as report_year
    from landed
    inner join reports
        on landed.file_id = reports.file_id
        and landed.institution_id = reports.institution_id
        and reports.record_state = 'used'
    where landed.amount is not null
    qualify row_number() over (
        partition by landed.institution_id, landed.year, landed.period_kind, landed.period_index, landed.item_code
        order by reports.audit_year desc, landed.path desc, landed.sheet, landed.row_number, landed.column_number
    ) = 1
),

final as (
    select
        ---------- ids
        file_id,
        institution_id,
        item_code,
        table_code,

        ---------- place
        path,
        sheet,
        cast(row_number as integer) as row_number,
        cast(column_number as integer) as column_number,
        {{ cell('column_number', 'row_number') }} as cell,

        ---------- texts
        carrier,
        measure,

        ---------- period
        cast(year as integer) as year,
        period_kind,
        cast(period_index as integer) as period_index,
        cast(report_year as integer) as audit_year,

        ---------- amounts
        amount,
        unit
    from counted
)

select * from final
