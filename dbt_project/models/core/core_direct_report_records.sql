with

reported as (
    select * from {{ ref('stg_direct_report__values') }}
),

-- one return of one period as one line of a file holds it
returns as (
    select
        file_id,
        layout_id,
        form_code,
        path,
        sheet,
        row_number,
        institution_id_scheme,
        institution_id,
        year,
        period_kind,
        period_index,
        release_number,
        task_state,
        is_counted,
        any_value(institution_name order by column_number) as institution_name,
        count(*) as n_values,
        min(item_code) as first_item_code,
        md5(string_agg(
            item_code || '=' || coalesce(cast(amount as varchar), value_text, ''), ';'
            order by item_code, column_number
        )) as content
    from reported
    group by all
),

-- In a layout that gives one line per item, each item is a record of its own; in any other, a newer release
-- replaces the whole return, also the items that it no longer holds.
keyed as (
    select
        *,
        case
            when max(n_values) over (partition by layout_id) = 1 then first_item_code
            else '*'
        end as item_scope
    from returns
),

-- newest release first; then by name, never by arrival; approved returns only compete with approved ones
ranked as (
    select
        *,
        row_number() over by_release as place_in_key,
        max(release_number) over in_key as newest_release_number,
        first_value(struct_pack(f := file_id, p := path, s := sheet, r := row_number)) over by_release as used_return,
        row_number() over by_content as place_in_content,
        first_value(struct_pack(f := file_id, p := path, s := sheet, r := row_number)) over by_content as first_alike
    from keyed
    window
        in_key as (
            partition by is_counted, form_code, institution_id_scheme, institution_id, year, period_kind, period_index,
                item_scope
        ),
        by_release as (
            partition by is_counted, form_code, institution_id_scheme, institution_id, year, period_kind, period_index,
                item_scope
            order by release_number desc, path, sheet, row_number
        ),
        by_content as (
            partition by is_counted, form_code, institution_id_scheme, institution_id, year, period_kind, period_index,
                item_scope, release_number, content
            order by path, sheet, row_number
        )
),

judged as (
    select
        *,
        case
            when not is_counted then 'not_approved'
            when place_in_key = 1 then 'used'
            when release_number < newest_release_number or place_in_content > 1 then 'superseded'
            else 'conflicting'
        end as record_state,
        case
            when not is_counted or place_in_key = 1 then null
            when release_number < newest_release_number then 'newer_release'
            when place_in_content > 1 then 'identical_return'
        end as superseded_reason
    from ranked
),

survived as (
    select
        *,
        case
            when superseded_reason = 'identical_return' then first_alike
            when record_state in ('superseded', 'conflicting') then used_return
        end as survivor
    from judged
),

final as (
    select
        ---------- ids
        file_id,
        layout_id,
        form_code,
        institution_id_scheme,
        institution_id,

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
        item_scope,

        ---------- counts
        n_values,

        ---------- the return that stands in its place (superseded) or before it (conflicting)
        survivor.f as survivor_file_id,
        survivor.p as survivor_path,
        survivor.s as survivor_sheet,
        cast(survivor.r as integer) as survivor_row_number
    from survived
)

select * from final
