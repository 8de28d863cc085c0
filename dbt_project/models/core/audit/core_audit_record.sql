{#- Every audit report of an institution and year that a file holds, and which one counts: the newest final release,
    by its number, then its date; never the one that most copies agree with. Reports that say nothing of releases only
    compete within their own layout, where the last by name stands: other layouts hold other tables. -#}
with

{% set tables = ['values', 'buildings', 'meters', 'equipment', 'measures'] -%}
{% for table in tables -%}
{{ table }} as (
    select * from {{ ref('stg_energy_audit__' ~ table) }}
),

{% endfor -%}
files as (
    select * from {{ ref('stg_control__files') }}
),

united as (
    {%- for table in tables %}
    select
        file_id,
        institution_id,
        audit_year,
        {{ 'year' if table == 'values' else 'cast(null as integer)' }} as year,
        release_number,
        released_on,
        release_status,
        row_number,
        '{{ table }}' || cast(
            row(*columns(* exclude (file_id, layout_id, path, sheet, row_number
                {{- ', column_number' if table == 'values' }}, audit_year, release_number, released_on, release_status)))
        as varchar) as content
    from {{ table }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

reports as (
    select
        united.file_id,
        files.layout_id,
        files.form_code,
        files.path,
        united.institution_id,
        coalesce(max(united.audit_year), max(united.year)) as audit_year,
        max(united.release_number) as release_number,
        max(united.released_on) as released_on,
        max(united.release_status) as release_status,
        count(*) as n_values,
        min(united.row_number) as row_number,
        md5(string_agg(united.content, ';' order by united.content)) as content_hash
    from united
    inner join files on united.file_id = files.file_id
    group by united.file_id, files.layout_id, files.form_code, files.path, united.institution_id
),

scoped as (
    select
        *,
        coalesce(release_status, 'final') = 'final' as is_final,
        case
            when coalesce(cast(release_number as varchar), cast(released_on as varchar), release_status) is not null
                then form_code
            else layout_id
        end as release_scope
    from reports
),

ranked as (
    select
        *,
        row_number() over by_release as place_in_key,
        first_value(struct_pack(f := file_id, p := path, r := row_number)) over by_release as standing,
        first_value(is_final) over by_release as is_standing_final,
        first_value(release_number) over by_release as newest_release_number,
        first_value(released_on) over by_release as newest_released_on,
        first_value(content_hash) over by_release as standing_content
    from scoped
    window by_release as (
        partition by release_scope, institution_id, audit_year
        order by is_final desc, release_number desc nulls last, released_on desc nulls last, path desc
    )
),

judged as (
    select
        *,
        case
            when place_in_key = 1 and is_final then 'used'
            when place_in_key = 1 or (not is_final and not is_standing_final) then 'not_final'
            when not is_final then 'superseded'
            when release_number is distinct from newest_release_number
                or released_on is distinct from newest_released_on
                or content_hash = standing_content then 'superseded'
            else 'conflicting'
        end as record_state
    from ranked
),

final as (
    select
        ---------- ids
        file_id,
        layout_id,
        institution_id,
        cast(audit_year as integer) as audit_year,

        ---------- place
        path,
        cast(row_number as integer) as row_number,

        ---------- texts
        release_status,
        record_state,
        case
            when record_state <> 'superseded' then null
            when content_hash = standing_content then 'identical_report'
            when not is_final then 'final_release'
            else 'newer_release'
        end as superseded_reason,

        ---------- release
        cast(release_number as integer) as release_number,
        released_on,

        ---------- counts
        n_values,

        ---------- the report that stands in its place (superseded) or before it (conflicting)
        case when record_state in ('superseded', 'conflicting') then standing.f end as survivor_file_id,
        case when record_state in ('superseded', 'conflicting') then standing.p end as survivor_path,
        cast(case when record_state in ('superseded', 'conflicting') then standing.r end as integer)
            as survivor_row_number
    from judged
)

select * from final
