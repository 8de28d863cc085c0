-- The terms that intervals are made of add up to the figures, to the last digit: every amount that a figure counts errs.
{%- set figures = [
    'emissions_total_tco2', 'emissions_direct_tco2', 'emissions_electricity_tco2', 'emissions_heat_tco2',
    'emissions_total_frozen_tco2', 'emissions_electricity_frozen_tco2'
] %}

with

uncertainties as (
    select * from {{ ref('emission_uncertainty') }}
),

figures as (
    {%- for figure in figures %}
    select region_code, population, year, '{{ figure }}' as figure, {{ figure }} as figure_tco2
    from {{ ref('region_year') }}
    where {{ figure }} is not null

    union all
    {%- endfor %}
    {%- for figure, column in {
        'inventory_direct_tco2e': 'emissions_direct_tco2e', 'inventory_total_tco2e': 'emissions_total_tco2e'
    }.items() %}
    select region_code, 'inventory', year, '{{ figure }}', {{ column }}
    from {{ ref('inventory_year') }}
    where {{ column }} is not null and inventory_scope = 'district'
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    figure,
    region_code,
    population,
    year,
    figures.figure_tco2,
    uncertainties.figure_tco2 as sum_of_terms_tco2
from figures
full join uncertainties using (region_code, population, year, figure)
where figures.figure_tco2 is distinct from uncertainties.figure_tco2
