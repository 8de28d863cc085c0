{#- The logarithm of a ratio of two exact sums, rounded to twelve decimals: libraries differ in the last bit of a logarithm, a
    release must not. What the rounding leaves unexplained is a few parts in 10^12. -#}
{% macro log_of_ratio(numerator, denominator) -%}
    round(ln({{ ratio(numerator, denominator) }}), 12)
{%- endmacro %}
