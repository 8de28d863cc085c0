-- Every published cell that is declared a sum is the sum of its parts to the last digit, every ratio that of its two sides; told
-- again from the declarations of docs/explain.md, which `tancang explain` follows.
-- depends_on: {{ ref('figure_origin') }}
{%- set parents = {
    'activity': ref('activity'), 'lineage': ref('lineage'), 'institution_year': ref('institution_year'),
    'region_year': ref('region_year'), 'region_carrier_year': ref('region_carrier_year'),
    'building_year': ref('building_year'), 'meter_month': ref('meter_month'), 'green_power': ref('green_power'),
    'inventory_year': ref('inventory_year'), 'inventory_category': ref('inventory_category'),
} %}
{%- set figures = declared_figures() %}

with

-- a region's institutions by population (definition 7), with the key of the region's row
{{ region_parts('institution_year', parents['institution_year'], ref('region_member')) }},

{{ region_parts('activity', parents['activity'], ref('region_member')) }},

compared as (
    {%- set groups = [] %}
    {%- for figure in figures if figure.kind == 'parts' %}
    {%- set group = [figure.table, figure.made_of.of.split('.')[0]] %}
    {%- if group not in groups %}{% do groups.append(group) %}{% endif %}
    {%- endfor %}
    {%- for table, part_table in groups %}
    {%- set of_group = [] %}
    {%- for figure in figures if figure.kind == 'parts' and figure.table == table and figure.made_of.of.split('.')[0] == part_table %}
    {%- do of_group.append(figure) %}
    {%- endfor %}
    {%- set keys = part_keys(of_group[0], part_table) %}
    select
        '{{ table }}' as table_name,
        concat_ws(' | ', {{ prefixed(of_group[0].grain, 'figures') }}) as row_key,
        {{ different_columns(of_group) }} as column_names
    from {{ parents[table] }} as figures
    left join (
        select
            {{ keys | join(', ') }},
            {%- for figure in of_group %}
            {{ sum_of_parts(figure) }} as {{ figure.column }}{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ part_relation(table, part_table, parents) }}
        group by all
    ) as parts using ({{ keys | join(', ') }})
    where len(column_names) > 0
    {%- if of_group[0].unless %} and not ({{ of_group[0].unless }}){% endif %}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

ratios_of_regions as (
    select
        region_code, population, year,
        {%- for figure in figures if figure.kind == 'ratio' and figure.table == 'region_year' %}
        {{ ratio_of_parts(figure) }} as {{ figure.column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from institution_year_of_regions
    group by all
),

divided as (
    {%- for figure in figures if figure.kind == 'ratio' %}
    select
        '{{ figure.table }}' as table_name,
        concat_ws(' | ', {{ prefixed(figure.grain, 'figures') }}) as row_key,
        ['{{ figure.column }}'] as column_names
    from {{ parents[figure.table] }} as figures
    {%- if figure.table == 'region_year' %}
    left join ratios_of_regions as parts using (region_code, population, year)
    where figures.{{ figure.column }} is distinct from parts.{{ figure.column }}
    {%- else %}
    where {{ figure.column }} is distinct from {{ ratio_of_parts(figure) }}
    {%- endif %}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from compared
union all
select * from divided
