-- What activities emit and weigh is what institutions emit and weigh, less what is passed on; and the total is its three scopes,
-- the direct part that of buildings and that of vehicles.
with

activities as (
    select
        year,
        sum(emissions_tco2) filter (where is_in_energy_total)
            - coalesce(sum(emissions_tco2) filter (where carrier like '%\_passed\_on' escape '\'), 0) as emissions_tco2,
        sum(energy_equivalent_kgce) filter (where is_in_energy_total) as equivalent_kgce,
        sum(energy_primary_kgce) filter (where is_in_energy_total) as primary_kgce,
        sum(amount) filter (where carrier = 'electricity') as electricity_kwh
    from {{ ref('core_activity') }}
    group by year
),

institutions as (
    select
        year,
        sum(emissions_total_tco2) as emissions_tco2,
        sum(coalesce(emissions_direct_tco2, 0) + coalesce(emissions_electricity_tco2, 0)
            + coalesce(emissions_heat_tco2, 0)) as emissions_of_scopes_tco2,
        count(*) filter (
            where emissions_direct_building_tco2 + emissions_direct_vehicles_tco2 <> emissions_direct_tco2
        ) as n_torn_apart,
        sum(energy_total_equivalent_kgce) as equivalent_kgce,
        sum(energy_total_primary_kgce) as primary_kgce,
        sum(electricity_kwh) as electricity_kwh
    from {{ ref('institution_year') }}
    group by year
)

select *
from institutions
left join activities on institutions.year = activities.year
where institutions.emissions_tco2 is distinct from activities.emissions_tco2
    or coalesce(institutions.emissions_tco2, 0) <> institutions.emissions_of_scopes_tco2
    or institutions.n_torn_apart > 0
    or institutions.equivalent_kgce is distinct from activities.equivalent_kgce
    or institutions.primary_kgce is distinct from activities.primary_kgce
    or institutions.electricity_kwh is distinct from activities.electricity_kwh
