{#- What makes a region's emissions, or their change, uncertain: squared half-widths by cause (definition 20). -#}
{%- set keys = 'region_code, population, base_year, figure, aspect' %}

with

region_terms as (
    select * from {{ ref('core_region_emission_term') }}
),

uncertainties as (
    select * from {{ ref('core_uncertainty') }}
),

years_before as (
    select distinct region_code, population, base_year, figure
    from region_terms
    where year = base_year - 1
),

-- Both aspects of a figure: its level, and its change against the year before, in which a row that both years take counts
-- once, with the difference of what it touches.
terms as (
    select
        region_code, population, base_year, figure, 'level' as aspect, factor_chain,
        emissions_tco2, activity_minus_squared, activity_plus_squared, is_activity_known
    from region_terms
    where year = base_year

    union all

    -- what the year before was too high by, the change is too low by
    select
        region_code, population, base_year, figure, 'change', factor_chain,
        case when year = base_year then emissions_tco2 else -emissions_tco2 end,
        case when year = base_year then activity_minus_squared else activity_plus_squared end,
        case when year = base_year then activity_plus_squared else activity_minus_squared end,
        is_activity_known
    from region_terms
    inner join years_before using (region_code, population, base_year, figure)
),

{{ uncertainty_causes(keys) }},

final as (
    select
        ---------- ids
        region_code,
        population,
        base_year,
        figure,
        aspect,
        cause_kind,
        factor_id,

        ---------- how much
        touched_tco2,
        minus_squared,
        plus_squared,

        ---------- booleans
        is_known
    from causes
)

select * from final
