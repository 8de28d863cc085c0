{#- Every record of a file that another record stands for, whatever the source: what the row ledger counts. -#}
with

returns as (
    select * from {{ ref('core_direct_report_records') }}
),

basic_forms as (
    select * from {{ ref('stg_direct_report__institutions') }}
),

register_entries as (
    select * from {{ ref('core_register_entry') }}
),

platform_buildings as (
    select * from {{ ref('stg_metering__buildings') }}
),

audit_reports as (
    select * from {{ ref('core_audit_record') }} where record_state = 'superseded'
),

{% set audit_tables = ['values', 'buildings', 'meters', 'equipment', 'measures'] -%}
{% for table in audit_tables -%}
audit_{{ table }} as (
    select distinct file_id, path, sheet, row_number, institution_id from {{ ref('stg_energy_audit__' ~ table) }}
),

{% endfor -%}
audit_lines as (
    {%- for table in audit_tables %}
    select * from audit_{{ table }}
    {%- if not loop.last %}
    union
    {%- endif %}
    {%- endfor %}
),

files as (
    select * from {{ ref('stg_control__files') }}
),

-- a line that holds several returns is superseded when all of them are
superseded_returns as (
    select
        file_id,
        layout_id,
        path,
        sheet,
        row_number,
        min(superseded_reason) as superseded_reason,
        min(survivor_file_id) as survivor_file_id,
        min(survivor_path) as survivor_path,
        min(survivor_row_number) as survivor_row_number
    from returns
    group by file_id, layout_id, path, sheet, row_number
    having bool_and(record_state = 'superseded')
),

repeated_basic_forms as (
    select
        *,
        first_value(struct_pack(f := file_id, p := path, r := row_number)) over alike as survivor,
        row_number() over alike as place
    from basic_forms
    window alike as (
        partition by institution_id_scheme, institution_id, year, institution_name, institution_type_code,
            industry_code, region_code, address
        order by path, row_number
    )
),

repeated_platform_buildings as (
    select
        *,
        first_value(struct_pack(f := file_id, p := path, r := row_number)) over alike as survivor,
        row_number() over alike as place
    from platform_buildings
    window alike as (partition by building_code order by path desc, row_number desc)
),

united as (
    select
        file_id, layout_id, path, sheet, row_number, superseded_reason,
        survivor_file_id, survivor_path, survivor_row_number
    from superseded_returns

    union all

    select
        file_id, null, path, null, row_number, 'identical_basic_form', survivor.f, survivor.p, survivor.r
    from repeated_basic_forms
    where place > 1

    union all

    select
        file_id, null, path, sheet, row_number, superseded_reason,
        survivor_file_id, survivor_path, survivor_row_number
    from register_entries
    where is_superseded

    union all

    select
        audit_lines.file_id, null, audit_lines.path, audit_lines.sheet, audit_lines.row_number,
        min(audit_reports.superseded_reason), min(audit_reports.survivor_file_id), min(audit_reports.survivor_path),
        min(audit_reports.survivor_row_number)
    from audit_lines
    left join audit_reports
        on audit_lines.file_id = audit_reports.file_id
        and audit_lines.institution_id = audit_reports.institution_id
    group by audit_lines.file_id, audit_lines.path, audit_lines.sheet, audit_lines.row_number
    having count(*) = count(audit_reports.file_id)

    union all

    select
        file_id, null, path, null, row_number, 'newer_building_file', survivor.f, survivor.p, survivor.r
    from repeated_platform_buildings
    where place > 1
),

final as (
    select
        ---------- ids
        united.file_id,
        coalesce(united.layout_id, files.layout_id) as layout_id,

        ---------- place
        united.path,
        united.sheet,
        cast(united.row_number as integer) as row_number,

        ---------- texts
        united.superseded_reason,

        ---------- the record that stands
        united.survivor_file_id,
        united.survivor_path,
        cast(united.survivor_row_number as integer) as survivor_row_number
    from united
    inner join files on united.file_id = files.file_id
)

select * from final
