{#- Sums and intensities at every level of the profile's regions, for the population that reported and for the one
    that is alike in two years. Ratios are of sums over the institutions that have both sides, never means. -#}

{%- set sums = {
    'floor_area_m2': 'decimal(18,4)', 'energy_users_persons': 'decimal(18,4)',
    'electricity_kwh': 'decimal(18,4)', 'natural_gas_m3': 'decimal(18,4)', 'coal_t': 'decimal(18,4)',
    'gasoline_l': 'decimal(18,4)', 'gasoline_vehicle_l': 'decimal(18,4)',
    'diesel_l': 'decimal(18,4)', 'diesel_vehicle_l': 'decimal(18,4)',
    'lpg_kg': 'decimal(18,4)', 'heat_gj': 'decimal(18,4)', 'other_energy_kgce': 'decimal(18,4)',
    'water_m3': 'decimal(18,4)',
    'electricity_passed_on_kwh': 'decimal(18,4)', 'heat_passed_on_gj': 'decimal(18,4)',
    'photovoltaic_generation_kwh': 'decimal(18,4)', 'photovoltaic_self_use_kwh': 'decimal(18,4)',
    'photovoltaic_export_kwh': 'decimal(18,4)', 'cooling_gj': 'decimal(18,4)',
    'green_electricity_kwh': 'decimal(18,4)', 'green_electricity_unproven_kwh': 'decimal(18,4)',
    'energy_total_equivalent_kgce': 'decimal(38,12)', 'energy_total_primary_kgce': 'decimal(38,12)',
    'energy_building_equivalent_kgce': 'decimal(38,12)', 'energy_building_primary_kgce': 'decimal(38,12)',
    'emissions_direct_tco2': 'decimal(38,12)', 'emissions_direct_building_tco2': 'decimal(38,12)',
    'emissions_direct_vehicles_tco2': 'decimal(38,12)', 'emissions_electricity_tco2': 'decimal(38,12)',
    'emissions_heat_tco2': 'decimal(38,12)', 'emissions_total_tco2': 'decimal(38,12)',
    'emissions_building_tco2': 'decimal(38,12)',
    'emissions_electricity_market_based_tco2': 'decimal(38,12)', 'emissions_total_market_based_tco2': 'decimal(38,12)',
    'emissions_electricity_frozen_tco2': 'decimal(38,12)', 'emissions_total_frozen_tco2': 'decimal(38,12)',
    'electricity_cost_cny': 'decimal(18,4)', 'natural_gas_cost_cny': 'decimal(18,4)',
    'water_cost_cny': 'decimal(18,4)', 'gasoline_cost_cny': 'decimal(18,4)',
    'diesel_cost_cny': 'decimal(18,4)', 'heat_cost_cny': 'decimal(18,4)',
    'energy_without_factor_kgce': 'decimal(38,12)',
} -%}

{#- a sum of another view is unknown as soon as it lacks what the leading one has: half a view compares with nothing -#}
{%- set whole_sums = {
    'emissions_electricity_market_based_tco2': 'emissions_electricity_tco2',
    'emissions_total_market_based_tco2': 'emissions_total_tco2',
    'emissions_electricity_frozen_tco2': 'emissions_electricity_tco2',
    'emissions_total_frozen_tco2': 'emissions_total_tco2',
} -%}

{#- intensity: numerator, denominator, factor to the unit of the name -#}
{%- set intensities = {
    'energy_per_area_equivalent_kgce_m2': ('energy_building_equivalent_kgce', 'floor_area_m2', 1),
    'energy_per_area_primary_kgce_m2': ('energy_building_primary_kgce', 'floor_area_m2', 1),
    'energy_per_capita_equivalent_kgce_person': ('energy_total_equivalent_kgce', 'energy_users_persons', 1),
    'energy_per_capita_primary_kgce_person': ('energy_total_primary_kgce', 'energy_users_persons', 1),
    'water_per_capita_m3_person': ('water_m3', 'energy_users_persons', 1),
    'emissions_per_area_kgco2_m2': ('emissions_total_tco2', 'floor_area_m2', 1000),
    'emissions_per_area_building_kgco2_m2': ('emissions_building_tco2', 'floor_area_m2', 1000),
} %}

with

builds as (
    select * from {{ ref('stg_control__build') }}
),

institution_years as (
    select
        institution_year.*,
        case when builds.coal_basis = 'equivalent' then energy_total_equivalent_kgce else energy_total_primary_kgce end
            as headline_energy_kgce
    from {{ ref('institution_year') }} as institution_year
    cross join builds
),

regions as (
    select * from {{ ref('stg_control__regions') }} where is_in_scope
),

paths as (
    select * from {{ ref('core_region_path') }} where is_ancestor_in_scope
),

group_members as (
    select * from {{ ref('stg_control__region_groups') }}
),

period_states as (
    select * from {{ ref('core_period_state') }}
),

uncertainties as (
    select * from {{ ref('emission_uncertainty') }} where figure = 'emissions_total_tco2'
),

{{ population_members('institution_years') }},

summed as (
    select
        paths.ancestor_code as region_code,
        members.population,
        members.base_year,
        members.year,

        ---------- counts
        count(*) as n_institutions,
        count(*) filter (where is_registered) as n_institutions_registered,

        ---------- sums
        {%- for column, type in sums.items() %}
        {%- if column in whole_sums %}
        case when bool_and({{ column }} is not null or {{ whole_sums[column] }} is null)
            then cast(sum({{ column }}) as {{ type }}) end as {{ column }},
        {%- else %}
        cast(sum({{ column }}) as {{ type }}) as {{ column }},
        {%- endif %}
        {%- endfor %}
        bool_and(is_emissions_complete) as is_emissions_complete,
        sum(headline_energy_kgce) as headline_energy_kgce,

        ---------- over the institutions that have both sides
        {%- for name, (numerator, denominator, scale) in intensities.items() %}
        {{ ratio(
            'sum(' ~ numerator ~ ') filter (where ' ~ denominator ~ ' is not null)',
            'sum(' ~ denominator ~ ') filter (where ' ~ numerator ~ ' is not null)'
        ) }}{{ ' * ' ~ scale if scale != 1 }} as {{ name }},
        {%- endfor %}

        ---------- left out of the intensities
        count(*) filter (where floor_area_m2 is null or energy_building_equivalent_kgce is null)
            as n_institutions_without_area,
        sum(headline_energy_kgce) filter (where floor_area_m2 is null or energy_building_equivalent_kgce is null)
            as headline_energy_without_area_kgce,
        count(*) filter (where energy_users_persons is null or energy_total_equivalent_kgce is null)
            as n_institutions_without_persons,
        sum(headline_energy_kgce) filter (where energy_users_persons is null or energy_total_equivalent_kgce is null)
            as headline_energy_without_persons_kgce
    from members
    inner join paths on members.counted_region_code = paths.region_code
        and {{ holds_at_year_end('paths', 'members.base_year') }}
    group by all
),

-- a group that reaches beyond this home is the sum of the part that lies in it, and says so
groups as (
    select
        group_members.group_code as region_code,
        years.year,
        count(*) as n_group_members,
        count(regions.region_code) as n_group_members_in_scope
    from group_members
    inner join (select distinct base_year as year from summed) as years
        on {{ holds_at_year_end('group_members', 'years.year') }}
    left join regions on group_members.member_code = regions.region_code
    group by all
),

compared as (
    select
        now.*,
        {{ change_pct('now.energy_per_area_primary_kgce_m2', 'before.energy_per_area_primary_kgce_m2') }}
            as energy_per_area_primary_change_pct,
        {{ change_pct('now.energy_per_area_equivalent_kgce_m2', 'before.energy_per_area_equivalent_kgce_m2') }}
            as energy_per_area_equivalent_change_pct,
        {{ change_pct('now.energy_per_capita_primary_kgce_person', 'before.energy_per_capita_primary_kgce_person') }}
            as energy_per_capita_primary_change_pct,
        {{ change_pct('now.energy_per_capita_equivalent_kgce_person', 'before.energy_per_capita_equivalent_kgce_person') }}
            as energy_per_capita_equivalent_change_pct,
        {{ change_pct('now.water_per_capita_m3_person', 'before.water_per_capita_m3_person') }}
            as water_per_capita_change_pct,
        {{ ratio('now.emissions_total_tco2 - before.emissions_total_tco2', 'before.emissions_total_tco2') }} * 100
            as emissions_total_change_pct,
        {{ ratio('now.emissions_total_frozen_tco2 - before.emissions_total_frozen_tco2', 'before.emissions_total_frozen_tco2') }} * 100
            as emissions_total_frozen_change_pct
    from summed as now
    left join summed as before
        on now.region_code = before.region_code
        and now.population = before.population
        and now.base_year = before.base_year
        and before.year = now.base_year - 1
    where now.year = now.base_year
),

final as (
    select
        ---------- ids
        regions.region_code,
        regions.region_name_zh,
        regions.region_name_en,
        regions.region_level,
        cast(compared.year as integer) as year,
        compared.population,
        period_states.period_state,
        period_states.period_state_reason,

        ---------- counts
        compared.n_institutions,
        compared.n_institutions_registered,
        cast(groups.n_group_members as bigint) as n_group_members,
        cast(groups.n_group_members_in_scope as bigint) as n_group_members_in_scope,

        ---------- sums
        {%- for column in sums if column != 'energy_without_factor_kgce' %}
        compared.{{ column }},
        {%- endfor %}

        ---------- how far the emissions may lie from the sum
        uncertainties.figure_low_tco2 as emissions_total_low_tco2,
        uncertainties.figure_high_tco2 as emissions_total_high_tco2,
        coalesce(uncertainties.uncertainty_state, 'no_emissions') as uncertainty_state,

        ---------- intensities
        {%- for name in intensities %}
        compared.{{ name }},
        {%- endfor %}

        ---------- left out of the intensities
        compared.n_institutions_without_area,
        coalesce({{ ratio('compared.headline_energy_without_area_kgce', 'compared.headline_energy_kgce') }}, 0)
            as energy_without_area_share,
        compared.n_institutions_without_persons,
        coalesce({{ ratio('compared.headline_energy_without_persons_kgce', 'compared.headline_energy_kgce') }}, 0)
            as energy_without_persons_share,

        ---------- change against the year before
        compared.energy_per_area_primary_change_pct,
        compared.energy_per_area_equivalent_change_pct,
        compared.energy_per_capita_primary_change_pct,
        compared.energy_per_capita_equivalent_change_pct,
        compared.water_per_capita_change_pct,
        compared.emissions_total_change_pct,
        compared.emissions_total_frozen_change_pct,

        ---------- completeness
        compared.energy_without_factor_kgce,
        {{ ratio('compared.energy_without_factor_kgce', 'compared.headline_energy_kgce') }} as energy_without_factor_share,
        compared.is_emissions_complete
    from compared
    inner join regions on compared.region_code = regions.region_code
    inner join period_states on compared.year = period_states.year
    left join groups
        on compared.region_code = groups.region_code
        and compared.year = groups.year
    left join uncertainties
        on compared.region_code = uncertainties.region_code
        and compared.population = uncertainties.population
        and compared.year = uncertainties.year
)

select * from final
