{#- Is a row of core_factor one for this year? A row without an end is in force until another says otherwise. -#}
{% macro is_valid_for(factors, year) -%}
    ({{ factors }}.first_valid_year <= {{ year }} and coalesce({{ factors }}.last_valid_year, {{ year }}) >= {{ year }})
{%- endmacro %}
