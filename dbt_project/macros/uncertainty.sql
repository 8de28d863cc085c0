{#- The size of a figure in tCO2 to the milligram, half up. Scaling down a decimal wider than 18 digits costs as much as a hundred
    other steps, so what fits into 18 goes through them; what no type holds is null, which is named as missing. -#}
{% macro size_tco2(figure) -%}
    coalesce(
        cast(cast(try_cast(abs({{ figure }}) as decimal(18,12)) as decimal(18,9)) as decimal(19,9)),
        try_cast(abs({{ figure }}) as decimal(19,9))
    )
{%- endmacro %}

{#- One half of a 95 % interval in tCO2, to the milligram: percent of a size. What the type cannot hold is null; nothing of
    nothing needs no uncertainty. -#}
{% macro half_width(size, pct) -%}
    case
        when {{ size }} = 0 then cast(0 as decimal(18,9))
        else try_cast({{ size }} * cast({{ pct }} * 0.01 as decimal(18,8)) as decimal(18,9))
    end
{%- endmacro %}

{#- The other half, which is mostly the same. -#}
{% macro other_half(size, pct, half, half_pct) -%}
    case when {{ pct }} = {{ half_pct }} then {{ half }} else {{ half_width(size, pct) }} end
{%- endmacro %}

{#- The square of a half-width. Squares are summed as decimals, so that a bound does not depend on the order of rows. -#}
{% macro squared(half_width) -%}
    cast(cast({{ half_width }} as decimal(19,9)) * cast({{ half_width }} as decimal(18,9)) as decimal(38,18))
{%- endmacro %}

{#- The CTE `causes` of definition 20: what makes a figure uncertain, and its squared half-widths, minus and plus apart.
    Needs the CTEs `terms` (the keys, factor_chain, emissions_tco2 signed as it enters the figure, activity_minus_squared,
    activity_plus_squared, is_activity_known) and `uncertainties` (core_uncertainty).
    Activity errors combine first, by the row that they are multiplied with; the error of a row then applies once to the sum
    of all that it touches. -#}
{% macro uncertainty_causes(keys) -%}
touched as (
    select
        {{ keys }},
        unnest(string_split(factor_chain, ' x ')) as factor_id,
        emissions_tco2
    from terms
),

net as (
    select
        {{ keys }},
        factor_id,
        cast(sum(emissions_tco2) as decimal(38,12)) as emissions_tco2
    from touched
    group by all
),

-- where more of a row makes the figure smaller, its minus side is the figure's plus side
factor_halves as (
    select
        net.*,
        case when net.emissions_tco2 >= 0 then uncertainties.minus_pct else uncertainties.plus_pct end as minus_pct,
        case when net.emissions_tco2 >= 0 then uncertainties.plus_pct else uncertainties.minus_pct end as plus_pct,
        {{ size_tco2('net.emissions_tco2') }} as size_tco2
    from net
    left join uncertainties
        on uncertainties.subject_kind = 'factor'
        and net.factor_id = uncertainties.subject_key
),

factor_minus as (
    select *, {{ half_width('size_tco2', 'minus_pct') }} as minus_tco2 from factor_halves
),

factor_causes as (
    select
        {{ keys }},
        'factor' as cause_kind,
        factor_id,
        emissions_tco2,
        minus_tco2,
        {{ other_half('size_tco2', 'plus_pct', 'minus_tco2', 'minus_pct') }} as plus_tco2
    from factor_minus
),

causes as (
    select
        {{ keys }},
        cause_kind,
        factor_id,
        emissions_tco2 as touched_tco2,
        {{ squared('minus_tco2') }} as minus_squared,
        {{ squared('plus_tco2') }} as plus_squared,
        minus_tco2 is not null and plus_tco2 is not null as is_known
    from factor_causes

    union all

    select
        {{ keys }},
        'activity',
        split_part(factor_chain, ' x ', 1),
        cast(sum(emissions_tco2) as decimal(38,12)),
        cast(sum(activity_minus_squared) as decimal(38,18)),
        cast(sum(activity_plus_squared) as decimal(38,18)),
        bool_and(is_activity_known)
    from terms
    group by all
)
{%- endmacro %}

{#- The CTE `bounds`: half-widths of a figure from `causes`, and whether all of them are known. -#}
{% macro uncertainty_bounds(keys) -%}
bounds as (
    select
        {{ keys }},
        case
            when not bool_and(is_known) filter (where cause_kind = 'factor') then 'factor_uncertainty_missing'
            when not bool_and(is_known) then 'activity_uncertainty_missing'
            else 'computed'
        end as bounds_state,
        -- doubles, each from one exact sum
        case when bool_and(is_known) then sqrt(cast(sum(minus_squared) as double)) end as minus_tco2,
        case when bool_and(is_known) then sqrt(cast(sum(plus_squared) as double)) end as plus_tco2
    from causes
    group by all
)
{%- endmacro %}

{#- The lower end of an interval. What is burned or bought is never less than nothing: an end below it is cut, and
    uncertainty_state says so. -#}
{% macro low_end(figure, minus) -%}
    case
        when {{ figure }} >= 0 and cast({{ figure }} as double) < {{ minus }} then cast(0 as double)
        else cast({{ figure }} as double) - {{ minus }}
    end
{%- endmacro %}

{% macro uncertainty_state(figure, minus, state) -%}
    case
        when {{ figure }} is null or {{ state }} is null then 'no_emissions'
        when {{ figure }} >= 0 and cast({{ figure }} as double) < {{ minus }} then 'low_cut_at_zero'
        else {{ state }}
    end
{%- endmacro %}
