{#- What every published column says it is made of, as its YAML declares it in `meta` (docs/explain.md): a list of
    {table, column, grain, kind, parts | ratio | method}. The one reader of these declarations. -#}
{% macro declared_figures() -%}
    {%- set found = [] -%}
    {%- if execute -%}
        {%- for node in (graph.nodes.values() | list) + (graph.sources.values() | list) -%}
            {%- if node.resource_type in ('model', 'source') and node.config.meta.get('is_published') -%}
                {%- for column in node.columns.values() -%}
                    {%- set meta = column.config.meta -%}
                    {%- for kind in ('parts', 'ratio', 'method') if kind in meta -%}
                        {%- do found.append({
                            'table': node.name, 'column': column.name, 'grain': node.config.meta.grain,
                            'columns': node.columns.keys() | list, 'unless': node.config.meta.get('parts_unless'),
                            'kind': kind, 'made_of': meta[kind],
                        }) -%}
                    {%- endfor -%}
                {%- endfor -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found | sort(attribute='column') | sort(attribute='table')) }}
{%- endmacro %}

{#- A text as an SQL literal; null for none. -#}
{% macro literal(text) -%}
    {{ "'" ~ (text | string | replace("'", "''")) ~ "'" if text is not none else 'null' }}
{%- endmacro %}

{#- The keys by which rows of the part table belong to a row of the figure's table: those of its grain that both have. -#}
{% macro part_keys(figure, part_table) -%}
    {%- set of = (graph.nodes.values() | selectattr('name', 'equalto', part_table) | first).columns.keys() | list -%}
    {%- set keys = [] -%}
    {%- for key in figure.grain if key in of or key in ('region_code', 'population') -%}
        {%- do keys.append(key) -%}
    {%- endfor -%}
    {{ return(keys) }}
{%- endmacro %}

{% macro prefixed(names, relation) -%}
    {%- for name in names %}{{ relation }}.{{ name }}{{ ', ' if not loop.last }}{% endfor -%}
{%- endmacro %}

{#- What the rows of the part table add up to, exactly. -#}
{% macro sum_of_parts(figure) -%}
    {%- set of = figure.made_of -%}
    {%- set column = of.of.split('.')[1] -%}
    {%- set value = mul(column, of.times) if of.times else column -%}
    sum(case when {{ of.get('when', 'true') }} then {{ value }}{% if of.less %} when {{ of.less }} then -{{ value }}{% endif %} end)
{%- endmacro %}

{#- Figures that are there and are not what their parts add up to; nothing adds up to zero. -#}
{% macro different_columns(figures) -%}
    list_filter([
        {%- for figure in figures %}
        case when figures.{{ figure.column }} is distinct from coalesce(parts.{{ figure.column }}, 0) and figures.{{ figure.column }} is not null
            then '{{ figure.column }}' end{{ ',' if not loop.last }}
        {%- endfor %}
    ], lambda name: name is not null)
{%- endmacro %}

{#- Where the parts of a table lie: a region's are found by its members. -#}
{% macro part_relation(table, part_table, parents) -%}
    {%- if table == 'region_year' or table == 'region_carrier_year' -%} {{ part_table }}_of_regions
    {%- else -%} {{ parents[part_table] }}
    {%- endif -%}
{%- endmacro %}

{#- A CTE of the rows of institutions under the key of every region that they count in; by population where rows have months
    that were reported: like_for_like are those that compare with the year before (definition 7). -#}
{% macro region_parts(part_table, relation, members) -%}
{{ part_table }}_of_regions as (
    select members.region_code, 'reported' as population, parts.* exclude (region_code)
    from {{ relation }} as parts
    inner join {{ members }} as members
        on parts.region_code = members.member_region_code
        and {{ holds_at_year_end('members', 'parts.year') }}
    {%- if part_table == 'institution_year' %}

    union all

    select members.region_code, 'like_for_like', parts.* exclude (region_code)
    from {{ relation }} as parts
    inner join {{ members }} as members
        on parts.region_code = members.member_region_code
        and {{ holds_at_year_end('members', 'parts.year') }}
    semi join {{ relation }} as earlier
        on parts.institution_id_scheme = earlier.institution_id_scheme
        and parts.institution_id = earlier.institution_id
        and parts.year = earlier.year + 1
        and {{ is_alike('earlier', 'parts') }}
    {%- endif %}
)
{%- endmacro %}

{#- The two sides of a ratio: columns of the same row, or sums over the institutions that have both. -#}
{% macro ratio_of_parts(figure) -%}
    {%- set of, over = figure.made_of.of.split('.')[-1], figure.made_of.over.split('.')[-1] -%}
    {%- if '.' in figure.made_of.of -%}
    {{ ratio('sum(' ~ of ~ ') filter (where ' ~ over ~ ' is not null)', 'sum(' ~ over ~ ') filter (where ' ~ of ~ ' is not null)') }}
    {%- else -%} {{ ratio(of, over) }}
    {%- endif -%}
    {{ ' * ' ~ figure.made_of.times if figure.made_of.times }}
{%- endmacro %}

{#- Which members of a region a row of institutions counts in, as SQL over `members` and `parts`; none where the figure is no sum over
    a region. -#}
{% macro region_condition(figure) -%}
    {%- set is_regional = figure.table in ('region_year', 'region_carrier_year') and figure.kind in ('parts', 'ratio') -%}
    {{ return('parts.region_code = members.member_region_code and ' ~ (holds_at_year_end('members', 'parts.year') | replace('\n', ' ')) if is_regional else none) }}
{%- endmacro %}

{#- Which institutions compare with the year before, as SQL over `earlier` and `parts`. -#}
{% macro compared_condition(figure) -%}
    {%- set is_compared = figure.table == 'region_year' and figure.kind in ('parts', 'ratio') -%}
    {{ return((is_alike('earlier', 'parts') | replace('\n', ' ')) if is_compared else none) }}
{%- endmacro %}
