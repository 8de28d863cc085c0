-- A table: six models read it, and its windows would run six times.
{{ config(materialized='table') }}

{%- set key -%}
is_counted, lateness, form_code, institution_id_scheme, institution_id, catalog_item_id, year, period_kind, period_index
{%- endset %}

with

landed as (
    select * from {{ ref('stg_direct_report__values') }}
),

late as (
    select * from {{ ref('core_late_return') }}
),

-- what came after its year was signed off competes with nothing that counts
reported as (
    select
        landed.*,
        nullif(late.lateness, 'accepted') as lateness
    from landed
    left join late using (file_id, institution_id_scheme, institution_id, year)
),

-- One return is one record of a file; lines that are operations of one institution are one return together.
returns as (
    select
        *,
        case when record_kind = 'operation' then null else sheet end as return_sheet,
        case when record_kind = 'operation' then 0 else row_number end as return_row,
        count(*) over (
            partition by file_id, sheet, row_number, {{ key }}
        ) as n_values_of_record
    from reported
),

shaped as (
    select
        *,
        max(n_values_of_record) over (partition by layout_id) > 1 or record_kind = 'operation' as is_whole_return
    from returns
),

-- A later release in a layout of the same family replaces the whole return, also the items that it no longer holds.
-- A line that holds one item replaces that item only.
replaced as (
    select
        *,
        release_number < coalesce(
            max(release_number) filter (where is_whole_return) over (partition by {{ key }}, layout_family),
            release_number
        ) as is_replaced
    from shaped
),

-- What is left joins by item: of each item the newest release stands, by name among equals, never by arrival.
ranked as (
    select
        *,
        dense_rank() over (
            partition by {{ key }}, item_code, is_replaced
            order by release_number desc, path, return_sheet, return_row
        ) as place_in_item,
        list_sort(list(coalesce(cast(amount as varchar), value_text, '')) over (
            partition by {{ key }}, item_code, is_replaced, release_number, path, return_sheet, return_row
        )) as content,
        struct_pack(f := file_id, p := path, s := sheet, r := row_number) as place
    from replaced
),

compared as (
    select
        *,
        max(release_number) over (partition by {{ key }}, item_code, is_replaced) as newest_release_number,
        first_value(content) over in_item as used_content,
        first_value(place) over in_item as item_survivor
    from ranked
    window in_item as (
        partition by {{ key }}, item_code, is_replaced
        order by place_in_item, sheet, row_number, column_number
    )
),

judged as (
    select
        *,
        case
            when not is_counted then 'not_approved'
            when lateness is not null then lateness
            when is_replaced then 'superseded'
            when place_in_item = 1 then 'used'
            when release_number < newest_release_number or content = used_content then 'superseded'
            else 'conflicting'
        end as cell_state,
        case
            when cell_state <> 'superseded' then null
            when is_replaced or release_number < newest_release_number then 'newer_release'
            else 'identical_return'
        end as superseded_reason
    from compared
),

-- the record that stands for a cell: the one that holds its item, else the first that stands in the period
survived as (
    select
        *,
        case
            when cell_state in ('superseded', 'conflicting') then coalesce(
                any_value(item_survivor) filter (where not is_replaced) over (partition by {{ key }}, item_code),
                first_value(place) over (
                    partition by {{ key }}
                    order by cell_state <> 'used', release_number desc, path, sheet, row_number, column_number
                )
            )
        end as survivor
    from judged
),

final as (
    select
        ---------- ids
        file_id,
        layout_id,
        form_code,
        form_role,
        edition,
        institution_id_scheme,
        institution_id,
        catalog_item_id,
        item_code,
        base_item_code,
        correction_id,
        conversion_id,

        ---------- place
        path,
        sheet,
        row_number,
        column_number,

        ---------- texts
        institution_name,
        region_code,
        institution_type_code,
        record_kind,
        carrier,
        measure,
        task_state,
        value_text,
        unit_text,
        used_number_text,
        used_unit_text,
        cell_state,
        superseded_reason,

        ---------- period
        year,
        period_kind,
        period_index,
        release_number,

        ---------- amounts
        amount,
        unit,
        reported_amount,
        reported_unit,
        submitted_amount,

        ---------- booleans
        is_counted,
        is_corrected,

        ---------- the record that stands in its place (superseded) or before it (conflicting)
        survivor.f as survivor_file_id,
        survivor.p as survivor_path,
        survivor.s as survivor_sheet,
        cast(survivor.r as integer) as survivor_row_number
    from survived
)

select * from final
