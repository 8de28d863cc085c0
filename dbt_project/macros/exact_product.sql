{#- A product of two parameters of a formula, kept with twelve decimals: what a set prints has at most five, so that only the
    end of a chain rounds: half up, once, to the eight decimals of a factor. -#}
{% macro exact_product(one, other) -%}
    cast(cast({{ one }} as decimal(19,12)) * cast({{ other }} as decimal(18,8)) as decimal(19,12))
{%- endmacro %}
