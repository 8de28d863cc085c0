-- Energy is covered by a factor row or counted in energy_without_factor_kgce, never neither, never both;
-- and no carrier of the total is without standard coal.
-- depends_on: {{ ref('institution_year') }}
with

builds as (
    select * from {{ ref('stg_control__build') }}
),

activities as (
    select * from {{ ref('core_activity') }} where is_in_energy_total
)

select activities.*
from activities
cross join builds
where activities.energy_equivalent_kgce is null
    or activities.energy_primary_kgce is null
    or (activities.emission_factor_id is not null and activities.emissions_tco2 is null)
    or (activities.emission_factor_id is not null and activities.energy_without_factor_kgce <> 0)
    or (
        activities.emission_factor_id is null
        and activities.energy_without_factor_kgce is distinct from
            case when builds.coal_basis = 'equivalent' then activities.energy_equivalent_kgce
                else activities.energy_primary_kgce end
    )
