{#- A word as it is compared: without spaces, narrow or wide, and in small letters. -#}
{% macro plain_word(text) -%}
    lower(replace(replace({{ text }}, ' ', ''), '　', ''))
{%- endmacro %}
