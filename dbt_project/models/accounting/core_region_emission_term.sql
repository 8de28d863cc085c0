{#- The terms of institutions, summed over a region, population and year for each figure and each chain of factor rows. What
    the bounds cost from here on does not grow with the number of institutions. -#}
with

institutions as (
    select * from {{ ref('core_institution') }}
),

terms as (
    select *, emissions_tco2 is not null as is_factor_known from {{ ref('core_emission_term') }}
),

paths as (
    select * from {{ ref('core_region_path') }} where is_ancestor_in_scope
),

inventory_gases as (
    select
        region_code, year, is_indirect, factor_chain, emissions_tco2e as emissions_tco2, activity_minus_squared,
        activity_plus_squared, is_activity_known, true as is_factor_known
    from {{ ref('core_inventory_gas') }}
    where inventory_scope = 'district' and missing_reason is null and is_in_basket
),

institution_years as (
    select
        institution_id_scheme, institution_id, year, region_code, months_reported, year_starts_on, boundary_changed_on
    from institutions
),

{{ population_members('institution_years') }},

{%- set sums %}
        cast(sum(emissions_tco2) as decimal(38,12)) as emissions_tco2,
        cast(sum(activity_minus_squared) as decimal(38,18)) as activity_minus_squared,
        cast(sum(activity_plus_squared) as decimal(38,18)) as activity_plus_squared,
        bool_and(is_activity_known) as is_activity_known,
        bool_and(is_factor_known) as is_factor_known
{%- endset %}

-- first where institutions lie, then what lies above
local_terms as (
    select
        members.population,
        members.base_year,
        members.year,
        members.counted_region_code,
        terms.factor_view,
        terms.emission_kind,
        terms.is_kind_counted,
        terms.factor_chain,
        {{ sums }}
    from members
    inner join terms
        on members.institution_id_scheme = terms.institution_id_scheme
        and members.institution_id = terms.institution_id
        and members.year = terms.year
    group by all
),

figures as (
    {%- for view, ending in {'frozen': 'tco2', 'moving': 'frozen_tco2'}.items() %}
    -- at the {{ 'factors of its year' if view == 'frozen' else 'factors of the base year' }}
    select *, 'emissions_total_{{ ending }}' as figure from local_terms where factor_view <> '{{ view }}'

    union all

    select *, 'emissions_' || emission_kind || '_{{ ending }}'
    from local_terms
    where is_kind_counted and factor_view <> '{{ view }}' {{- " and emission_kind = 'electricity'" if view == 'moving' }}
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor %}
),

summed as (
    select
        paths.ancestor_code as region_code,
        figures.population,
        figures.base_year,
        figures.year,
        figures.figure,
        figures.factor_chain,
        {{ sums }}
    from figures
    inner join paths on figures.counted_region_code = paths.region_code
        and {{ holds_at_year_end('paths', 'figures.base_year') }}
    group by all
),

-- a region's own inventory, without and with what its power and heat cost elsewhere
inventory_figures as (
    select *, 'inventory_total_tco2e' as figure from inventory_gases

    union all

    select *, 'inventory_direct_tco2e' from inventory_gases where not is_indirect
),

inventoried as (
    select
        figures.region_code,
        'inventory' as population,
        years.year as base_year,
        figures.year,
        figures.figure,
        figures.factor_chain,
        {{ sums }}
    from inventory_figures as figures
    inner join (select distinct region_code, year, figure from inventory_figures) as years
        on figures.region_code = years.region_code
        and figures.figure = years.figure
        and figures.year in (years.year, years.year - 1)
    group by all
),

united as (
    select * from summed
    union all by name
    select * from inventoried
),

final as (
    select
        ---------- ids
        region_code,
        population,
        base_year,
        year,
        figure,
        factor_chain,

        ---------- carbon
        emissions_tco2,
        activity_minus_squared,
        activity_plus_squared,

        ---------- booleans
        is_activity_known
    from united
    -- a figure that lacks one of its amounts is unknown: half of it compares with nothing
    qualify bool_and(is_factor_known) over (partition by region_code, population, base_year, year, figure)
)

select * from final
