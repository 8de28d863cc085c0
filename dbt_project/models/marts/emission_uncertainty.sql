{#- How far a region's emissions may lie from the figure, and how far its change: 95 % intervals by error propagation
    (definition 20). -#}
{%- set keys = 'region_code, population, base_year, figure, aspect' %}

with

causes as (
    select * from {{ ref('core_region_uncertainty_cause') }}
),

{{ uncertainty_bounds(keys) }},

-- every amount errs once, by the first row that it is multiplied with
sums as (
    select
        {{ keys }},
        cast(sum(touched_tco2) as decimal(38,12)) as emissions_tco2
    from causes
    where cause_kind = 'activity'
    group by all
),

ends as (
    select
        sums.*,
        bounds.minus_tco2,
        bounds.plus_tco2,
        {{ uncertainty_state('sums.emissions_tco2', 'bounds.minus_tco2', 'bounds.bounds_state') }} as uncertainty_state,
        {{ low_end('sums.emissions_tco2', 'bounds.minus_tco2') }} as low_tco2,
        cast(sums.emissions_tco2 as double) - bounds.minus_tco2 as change_low_tco2,
        cast(sums.emissions_tco2 as double) + bounds.plus_tco2 as high_tco2
    from sums
    inner join bounds using ({{ keys }})
),

final as (
    select
        ---------- ids
        levels.region_code,
        levels.population,
        cast(levels.base_year as integer) as year,
        levels.figure,

        ---------- the figure
        levels.emissions_tco2 as figure_tco2,
        levels.low_tco2 as figure_low_tco2,
        levels.high_tco2 as figure_high_tco2,
        {{ ratio('levels.minus_tco2', 'levels.emissions_tco2') }} * 100 as figure_minus_pct,
        {{ ratio('levels.plus_tco2', 'levels.emissions_tco2') }} * 100 as figure_plus_pct,
        levels.uncertainty_state,

        ---------- its change against the year before
        changes.emissions_tco2 as figure_change_tco2,
        changes.change_low_tco2 as figure_change_low_tco2,
        changes.high_tco2 as figure_change_high_tco2
    from ends as levels
    left join ends as changes
        on levels.region_code = changes.region_code
        and levels.population = changes.population
        and levels.base_year = changes.base_year
        and levels.figure = changes.figure
        and changes.aspect = 'change'
    where levels.aspect = 'level'
)

select * from final
