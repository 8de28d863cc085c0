{#- A landed number (text with up to six decimals) times the worth of its unit, and times a carrier conversion
    where the unit measures another quantity (kWh of gas). `try` turns more digits than the type holds into
    null, which a test names; a night never dies of one cell. -#}
{% macro converted(number, unit_multiplier, carrier_multiplier='1') -%}
    try(cast(
        cast({{ number }} as decimal(19,6))
        * cast({{ unit_multiplier }} as decimal(18,8))
        * cast({{ carrier_multiplier }} as decimal(18,8))
    as decimal(18,4)))
{%- endmacro %}

{#- Did the plain decimal text hold more digits than DECIMAL(18,6), or its product more than DECIMAL(18,4)? -#}
{% macro has_lost_digits(number_text, unit_multiplier) -%}
    coalesce(
        try_cast({{ number_text }} as decimal(38,18)) <> try_cast({{ number_text }} as decimal(18,6))
        or try(
            cast(try_cast({{ number_text }} as decimal(18,6)) as decimal(19,6)) * cast({{ unit_multiplier }} as decimal(18,8))
            <> cast(cast(try_cast({{ number_text }} as decimal(18,6)) as decimal(19,6))
                    * cast({{ unit_multiplier }} as decimal(18,8)) as decimal(18,4))
        ),
        false
    )
{%- endmacro %}
