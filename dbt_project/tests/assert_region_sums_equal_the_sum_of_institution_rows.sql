-- The root region, reported, is every institution of the year: each sum to the last digit.
{% set columns = [
    'floor_area_m2', 'energy_users_persons', 'electricity_kwh', 'natural_gas_m3', 'coal_t', 'gasoline_l',
    'gasoline_vehicle_l', 'diesel_l', 'diesel_vehicle_l', 'lpg_kg', 'heat_gj', 'other_energy_kgce', 'water_m3',
    'electricity_passed_on_kwh', 'heat_passed_on_gj', 'photovoltaic_generation_kwh', 'photovoltaic_self_use_kwh',
    'photovoltaic_export_kwh', 'cooling_gj', 'green_electricity_kwh', 'green_electricity_unproven_kwh',
    'emissions_direct_building_tco2', 'emissions_direct_vehicles_tco2',
    'energy_total_equivalent_kgce', 'energy_total_primary_kgce', 'energy_building_equivalent_kgce',
    'energy_building_primary_kgce', 'emissions_direct_tco2', 'emissions_electricity_tco2', 'emissions_heat_tco2',
    'emissions_total_tco2', 'emissions_building_tco2', 'electricity_cost_cny', 'natural_gas_cost_cny',
    'water_cost_cny', 'gasoline_cost_cny', 'diesel_cost_cny', 'heat_cost_cny', 'energy_without_factor_kgce',
] %}

with

institutions as (
    select
        year,
        count(*) as n_institutions,
        {%- for column in columns %}
        sum({{ column }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('institution_year') }}
    group by year
),

regions as (
    select region_year.*
    from {{ ref('region_year') }} as region_year
    inner join {{ ref('stg_control__build') }} as builds on region_year.region_code = builds.region_code
    where region_year.population = 'reported'
),

compared as (
    {%- for column in ['n_institutions'] + columns %}
    select
        coalesce(institutions.year, regions.year) as year,
        '{{ column }}' as column_name,
        cast(institutions.{{ column }} as varchar) as sum_of_institutions,
        cast(regions.{{ column }} as varchar) as sum_of_region
    from institutions
    full join regions on institutions.year = regions.year
    where institutions.{{ column }} is distinct from regions.{{ column }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from compared
