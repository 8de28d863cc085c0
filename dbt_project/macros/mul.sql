{#- An exact product of an amount and a factor.
    DuckDB keeps a product of two decimals of at most 18 digits inside 18 digits and overflows at 10^8 kWh;
    with 19 and 18 digits the product is DECIMAL(37,12), and other engines reach the same digits. -#}
{% macro mul(amount, factor) -%}
    cast(cast({{ amount }} as decimal(19,4)) * cast({{ factor }} as decimal(18,8)) as decimal(38,12))
{%- endmacro %}
