{#- Days of validity, null where open, that hold on 31 December: what definition 6 takes of a register, and of a group's members. -#}
{% macro holds_at_year_end(relation, year) -%}
    coalesce({{ relation }}.valid_from, date '0001-01-01') <= make_date({{ year }}, 12, 31)
    and coalesce({{ relation }}.valid_to, date '9999-12-31') >= make_date({{ year }}, 12, 31)
{%- endmacro %}
