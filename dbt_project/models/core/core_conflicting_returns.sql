{#- Two approved returns of one institution, period and release that say different things, item by item. -#}
with

reported as (
    select * from {{ ref('stg_direct_report__values') }}
),

records as (
    select * from {{ ref('core_direct_report_records') }}
),

-- each conflicting return beside the one that the figures use
conflicts as (
    select
        records.*,
        reported.item_code,
        reported.column_number,
        reported.value_text,
        reported.unit_text,
        reported.amount
    from records
    inner join reported
        on records.file_id = reported.file_id
        and records.sheet is not distinct from reported.sheet
        and records.row_number = reported.row_number
        and records.institution_id_scheme = reported.institution_id_scheme
        and records.institution_id = reported.institution_id
        and records.year = reported.year
        and records.period_kind = reported.period_kind
        and records.period_index = reported.period_index
    where records.record_state = 'conflicting'
),

final as (
    select
        ---------- ids
        conflicts.institution_id_scheme,
        conflicts.institution_id,
        conflicts.year,
        conflicts.period_kind,
        conflicts.period_index,
        conflicts.release_number,
        conflicts.item_code,

        ---------- place
        conflicts.file_id,
        conflicts.path,
        conflicts.sheet,
        conflicts.row_number,
        conflicts.column_number,
        {{ cell('conflicts.column_number', 'conflicts.row_number') }} as cell,
        conflicts.value_text,
        conflicts.unit_text,
        conflicts.amount,

        ---------- the return that the figures use
        conflicts.survivor_file_id,
        conflicts.survivor_path,
        conflicts.survivor_sheet,
        conflicts.survivor_row_number,
        used.column_number as survivor_column_number,
        {{ cell('used.column_number', 'conflicts.survivor_row_number') }} as survivor_cell,
        used.value_text as survivor_value_text,
        used.amount as survivor_amount
    from conflicts
    left join reported as used
        on conflicts.survivor_file_id = used.file_id
        and conflicts.survivor_sheet is not distinct from used.sheet
        and conflicts.survivor_row_number = used.row_number
        and conflicts.institution_id_scheme = used.institution_id_scheme
        and conflicts.institution_id = used.institution_id
        and conflicts.year = used.year
        and conflicts.period_kind = used.period_kind
        and conflicts.period_index = used.period_index
        and conflicts.item_code = used.item_code
    where conflicts.amount is distinct from used.amount
)

select * from final
