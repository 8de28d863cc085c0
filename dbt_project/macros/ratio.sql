{#- A ratio of two exact sums, as a double computed row by row and never summed. Nothing over zero is null. -#}
{% macro ratio(numerator, denominator) -%}
    (cast({{ numerator }} as double) / nullif(cast({{ denominator }} as double), 0))
{%- endmacro %}

{#- Change against the year before in percent, from unrounded values. -#}
{% macro change_pct(now, before) -%}
    (({{ now }} - {{ before }}) / nullif({{ before }}, 0) * 100)
{%- endmacro %}
