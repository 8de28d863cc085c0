{#- Every record of a return as its file holds it, and what became of it: of its cells, in short. -#}
with

cells as (
    select * from {{ ref('core_direct_report_cells') }}
),

records as (
    select
        file_id,
        layout_id,
        form_code,
        form_role,
        path,
        sheet,
        row_number,
        institution_id_scheme,
        institution_id,
        catalog_item_id,
        year,
        period_kind,
        period_index,
        release_number,
        task_state,
        any_value(institution_name order by column_number) as institution_name,
        count(*) as n_values,
        case
            when not bool_or(is_counted) then 'not_approved'
            when bool_or(cell_state = 'used') then 'used'
            when bool_or(cell_state in ('held', 'outdated')) then min(cell_state)
            when bool_or(cell_state = 'conflicting') then 'conflicting'
            else 'superseded'
        end as record_state,
        case
            when record_state <> 'superseded' then null
            when bool_or(superseded_reason = 'newer_release') then 'newer_release'
            else 'identical_return'
        end as superseded_reason,
        arg_min(
            struct_pack(
                f := survivor_file_id, p := survivor_path, s := survivor_sheet, r := survivor_row_number
            ),
            column_number
        ) filter (where cell_state in ('superseded', 'conflicting')) as survivor
    from cells
    group by
        file_id, layout_id, form_code, form_role, path, sheet, row_number, institution_id_scheme, institution_id,
        catalog_item_id, year, period_kind, period_index, release_number, task_state
),

final as (
    select
        ---------- ids
        file_id,
        layout_id,
        form_code,
        form_role,
        institution_id_scheme,
        institution_id,
        catalog_item_id,

        ---------- place
        path,
        sheet,
        cast(row_number as integer) as row_number,

        ---------- texts
        institution_name,
        task_state,
        record_state,
        superseded_reason,

        ---------- period
        cast(year as integer) as year,
        period_kind,
        cast(period_index as integer) as period_index,
        cast(release_number as integer) as release_number,

        ---------- counts
        n_values,

        ---------- the return that stands in its place (superseded) or before it (conflicting)
        case when record_state in ('superseded', 'conflicting') then survivor.f end as survivor_file_id,
        case when record_state in ('superseded', 'conflicting') then survivor.p end as survivor_path,
        case when record_state in ('superseded', 'conflicting') then survivor.s end as survivor_sheet,
        case when record_state in ('superseded', 'conflicting') then survivor.r end as survivor_row_number
    from records
)

select * from final
