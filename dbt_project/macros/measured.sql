{#- Measured columns of a record table, `<name>_text` with `<name>_unit`: the model imports the conversion seed as `units`,
    joins it once for each of them, and reads each in its canonical unit. Null where nothing was measured; a unit that
    does not convert was refused on the way in. -#}
{% macro join_units(names) -%}
    {%- for name, canonical_unit in names.items() %}
    left join units as {{ name }}_units
        on landed.{{ name }}_unit = {{ name }}_units.unit_text
        and {{ name }}_units.canonical_unit = '{{ canonical_unit }}'
    {%- endfor %}
{%- endmacro %}

{% macro measured(name) -%}
    {{ converted('try_cast(landed.' ~ name ~ '_text as decimal(18,6))', name ~ '_units.multiplier') }}
{%- endmacro %}

{#- Did a measured column hold more digits than it keeps? -#}
{% macro measured_has_lost_digits(name) -%}
    {{ has_lost_digits('landed.' ~ name ~ '_text', 'coalesce(' ~ name ~ '_units.multiplier, 1)') }}
{%- endmacro %}
