{#- Landed values that the method could not take as they are: a unit that does not fit the item, more digits than
    the type holds, an institution outside the regions of the profile. Empty in a sound night. -#}
with

reported as (
    select * from {{ ref('stg_direct_report__values') }}
),

audited as (
    select * from {{ ref('stg_energy_audit__values') }}
),

{% set record_tables = [
    ('energy_audit', 'buildings'), ('energy_audit', 'meters'), ('energy_audit', 'equipment'), ('energy_audit', 'measures'),
    ('registers', 'institutions'), ('registers', 'buildings'), ('registers', 'meters'), ('registers', 'data_rooms'),
    ('registers', 'projects'), ('registers', 'green_power'),
] -%}
{% for source, table in record_tables -%}
{{ source }}_{{ table }} as (
    select * from {{ ref('stg_' ~ source ~ '__' ~ table) }} where has_lost_digits
),

{% endfor -%}
inventory as (
    select * from {{ ref('stg_inventory__activities') }}
),

institutions as (
    select * from {{ ref('core_institution') }}
),

regions as (
    select * from {{ ref('stg_control__regions') }} where region_level is distinct from 'group'
),

united as (
    select
        'direct_report' as source,
        case
            when not is_convertible then 'unit_does_not_fit'
            when amount is null then 'number_too_long'
            when has_lost_digits then 'digits_rounded'
        end as problem_code,
        file_id, path, sheet, row_number, column_number, institution_id, year, item_code, value_text, unit_text
    from reported
    where not is_convertible or amount is null or has_lost_digits

    union all

    select
        'energy_audit',
        case
            when not is_convertible then 'unit_does_not_fit'
            when amount is null then 'number_too_long'
            when has_lost_digits then 'digits_rounded'
        end,
        file_id, path, sheet, row_number, column_number, institution_id, year, item_code, value_text, unit_text
    from audited
    where not is_convertible or amount is null or has_lost_digits

    {% for source, table in record_tables %}
    union all

    select
        '{{ source }}',
        'digits_rounded',
        file_id, path, sheet, row_number, null,
        institution_id, null, null, null, null
    from {{ source }}_{{ table }}
    {% endfor %}
    union all

    select
        'inventory',
        case
            when regions.region_code is null then 'region_not_in_profile'
            when inventory.amount is null then 'number_too_long'
            else 'digits_rounded'
        end,
        inventory.file_id, inventory.path, inventory.sheet, inventory.row_number, null,
        inventory.region_code, inventory.year, inventory.activity_category, inventory.value_text, inventory.unit_text
    from inventory
    left join regions
        on inventory.region_code = regions.region_code
        and regions.is_in_scope
    where regions.region_code is null or inventory.amount is null or inventory.has_lost_digits

    union all

    select
        'direct_report',
        'region_not_in_profile',
        institutions.file_id, institutions.path, institutions.sheet, institutions.row_number, null,
        institutions.institution_id, institutions.year, null, institutions.region_code, null
    from institutions
    anti join regions
        on institutions.region_code = regions.region_code
        and regions.is_in_scope
),

final as (
    select
        ---------- ids
        source,
        problem_code,
        institution_id,
        cast(year as integer) as year,
        item_code,

        ---------- place
        file_id,
        path,
        sheet,
        cast(row_number as integer) as row_number,
        cast(column_number as integer) as column_number,
        {{ cell('column_number', 'row_number') }} as cell,
        value_text,
        unit_text
    from united
)

select * from final
