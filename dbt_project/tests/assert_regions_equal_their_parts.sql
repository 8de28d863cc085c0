-- A region is the regions right below it and the institutions that name it itself.
{% set columns = [
    'electricity_kwh', 'natural_gas_m3', 'water_m3', 'energy_total_equivalent_kgce', 'energy_total_primary_kgce',
    'emissions_total_tco2', 'floor_area_m2', 'energy_users_persons',
] %}

with

parts as (
    select
        regions.parent_code as region_code,
        region_year.year,
        region_year.n_institutions,
        {%- for column in columns %}
        region_year.{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('region_year') }} as region_year
    inner join {{ ref('stg_control__regions') }} as regions on region_year.region_code = regions.region_code
    where region_year.population = 'reported'

    union all

    select
        region_code,
        year,
        1,
        {%- for column in columns %}
        {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('institution_year') }}
),

summed as (
    select
        region_code,
        year,
        sum(n_institutions) as n_institutions,
        {%- for column in columns %}
        sum({{ column }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from parts
    group by all
)

select
    region_year.region_code,
    region_year.year
from {{ ref('region_year') }} as region_year
left join summed
    on region_year.region_code = summed.region_code
    and region_year.year = summed.year
where region_year.population = 'reported'
    and region_year.region_level <> 'group'
    and (
        region_year.n_institutions is distinct from summed.n_institutions
        {%- for column in columns %}
        or region_year.{{ column }} is distinct from summed.{{ column }}
        {%- endfor %}
    )
