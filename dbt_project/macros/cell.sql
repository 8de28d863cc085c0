{#- The name of a cell as spreadsheets print it: column 28, row 5 is AB5. Null without a column. -#}
{% macro cell(column_number, row_number) -%}
    (
        case when {{ column_number }} > 702 then chr(cast(65 + ({{ column_number }} - 703) // 676 as integer)) else '' end
        || case when {{ column_number }} > 26 then chr(cast(65 + (({{ column_number }} - 27) // 26) % 26 as integer)) else '' end
        || chr(cast(65 + ({{ column_number }} - 1) % 26 as integer))
        || cast({{ row_number }} as varchar)
    )
{%- endmacro %}
