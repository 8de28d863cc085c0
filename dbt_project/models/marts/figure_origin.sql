{#- What every published figure is made of, as the YAML of its column declares it: rows of another table that add up to it, a
    ratio of two columns, or a method with its inputs. `tancang explain` and the check that parts add up read nothing else. -#}
with

methods as (
    select * from {{ ref('figure_methods') }}
),

declared as (
    {%- for figure in declared_figures() %}
    {%- set made_of = figure.made_of %}
    {%- set names = (made_of.of if figure.kind == 'parts' else '.').split('.') %}
    select
        {{ literal(figure.table) }} as table_name,
        {{ literal(figure.column) }} as column_name,
        {{ literal(figure.kind) }} as origin_kind,
        {{ literal(figure.grain | join(', ')) }} as key_columns,
        {{ literal(names[0] or none) }} as part_table,
        {{ literal(names[1] or none) }} as part_column,
        {{ literal(made_of.get('times') if figure.kind == 'parts' else none) }} as times_column,
        {{ literal(made_of.get('when', 'true') if figure.kind == 'parts' else none) }} as added_where,
        {{ literal(made_of.get('less') if figure.kind == 'parts' else none) }} as deducted_where,
        {{ literal(region_condition(figure)) }} as member_where,
        {{ literal(compared_condition(figure)) }} as compared_where,
        {{ literal(made_of.of if figure.kind == 'ratio' else none) }} as numerator,
        {{ literal(made_of.over if figure.kind == 'ratio' else none) }} as denominator,
        {{ made_of.get('times', 1) if figure.kind == 'ratio' else 'null' }} as times_number,
        {{ literal(made_of.name if figure.kind == 'method' else none) }} as method_name,
        {{ literal(made_of.inputs | join(', ') if figure.kind == 'method' and made_of.inputs else none) }} as inputs
    {{ 'union all' if not loop.last }}
    {%- else %}
    select
        {%- for name in ['table_name', 'column_name', 'origin_kind', 'key_columns', 'part_table', 'part_column', 'times_column',
            'added_where', 'deducted_where', 'member_where', 'compared_where', 'numerator', 'denominator', 'times_number', 'method_name', 'inputs'] %}
        null as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    where false
    {%- endfor %}
),

final as (
    select
        ---------- ids
        declared.table_name,
        declared.column_name,
        declared.key_columns,

        ---------- of what
        declared.origin_kind,
        declared.part_table,
        declared.part_column,
        declared.times_column,
        declared.added_where,
        declared.deducted_where,
        declared.member_where,
        declared.compared_where,
        declared.numerator,
        declared.denominator,
        cast(declared.times_number as integer) as times_number,

        ---------- by which method
        declared.method_name,
        methods.text_zh as method_zh,
        methods.text_en as method_en,
        declared.inputs
    from declared
    left join methods on declared.method_name = methods.method_name
)

select * from final
