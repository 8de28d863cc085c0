{#- One row per institution, year and carrier: what was used, what it is worth in standard coal and in CO2. -#}
with

builds as (
    select * from {{ ref('stg_control__build') }}
),

amounts as not materialized (
    select * from {{ ref('core_reported_amount') }}
),

institutions as (
    select * from {{ ref('core_institution') }}
),

carriers as (
    select * from {{ ref('carriers') }}
),

carrier_factors as (
    select * from {{ ref('core_carrier_factor') }}
),

electricity_factors as (
    select * from {{ ref('core_electricity_factor') }} where is_in_force
),

costs as (
    select institution_id_scheme, institution_id, year, carrier, amount as cost_cny
    from amounts
    where measure = 'cost' and amount is not null
),

-- the same carrier at the factors of the base year, which stay where they are
frozen_factors as (
    select carrier_factors.carrier, carrier_factors.result_per_unit as tco2_per_unit
    from carrier_factors
    inner join builds on carrier_factors.year = builds.base_year
    where carrier_factors.purpose in ('direct_emissions', 'heat_emissions')
),

frozen_electricity_factors as (
    select electricity_factors.region_code, electricity_factors.tco2_per_kwh
    from electricity_factors
    inner join builds on electricity_factors.year = builds.base_year
),

activities as (
    select
        amounts.*,
        institutions.region_code,
        carriers.base_carrier,
        carriers.is_in_energy_total,
        carriers.is_vehicle_part,
        carriers.is_deducted,
        costs.cost_cny
    from amounts
    inner join institutions using (institution_id_scheme, institution_id, year)
    inner join carriers on amounts.carrier = carriers.carrier
    left join costs
        on amounts.institution_id_scheme = costs.institution_id_scheme
        and amounts.institution_id = costs.institution_id
        and amounts.year = costs.year
        and amounts.carrier = costs.carrier
    where amounts.measure = 'amount' and amounts.amount is not null
),

-- parts (vehicle fuel) take the rows of the carrier that they are a part of
factored as (
    select
        activities.*,
        equivalents.factor_id as equivalent_factor_id,
        primaries.factor_id as primary_factor_id,
        coalesce(directs.factor_id, heats.factor_id, electricity_factors.factor_id) as emission_factor_id,
        equivalents.conversion_id as coal_conversion_id,
        electricity_factors.factor_fallback,
        case
            when directs.factor_id is not null then 'direct'
            when heats.factor_id is not null then 'heat'
            when electricity_factors.factor_id is not null then 'electricity'
        end as emission_kind,
        equivalents.result_per_unit as equivalent_kgce_per_unit,
        primaries.result_per_unit as primary_kgce_per_unit,
        coalesce(directs.result_per_unit, heats.result_per_unit, electricity_factors.tco2_per_kwh) as emission_tco2_per_unit,
        coalesce(frozen_factors.tco2_per_unit, frozen_electricity_factors.tco2_per_kwh) as frozen_tco2_per_unit,
        {{ mul('activities.amount', 'equivalents.result_per_unit') }} as energy_equivalent_kgce,
        {{ mul('activities.amount', 'primaries.result_per_unit') }} as energy_primary_kgce,
        {{ mul('activities.amount',
               'coalesce(directs.result_per_unit, heats.result_per_unit, electricity_factors.tco2_per_kwh)') }}
            as emissions_tco2,
        {{ mul('activities.amount', 'coalesce(frozen_factors.tco2_per_unit, frozen_electricity_factors.tco2_per_kwh)') }}
            as emissions_frozen_tco2
    from activities
    left join carrier_factors as equivalents
        on activities.year = equivalents.year
        and activities.base_carrier = equivalents.carrier
        and equivalents.purpose = 'standard_coal_equivalent'
    left join carrier_factors as primaries
        on activities.year = primaries.year
        and activities.base_carrier = primaries.carrier
        and primaries.purpose = 'standard_coal_primary'
    left join carrier_factors as directs
        on activities.year = directs.year
        and activities.base_carrier = directs.carrier
        and directs.purpose = 'direct_emissions'
    left join carrier_factors as heats
        on activities.year = heats.year
        and activities.base_carrier = heats.carrier
        and heats.purpose = 'heat_emissions'
    left join electricity_factors
        on activities.year = electricity_factors.year
        and activities.region_code = electricity_factors.region_code
        and activities.base_carrier = 'electricity'
    left join frozen_factors on activities.base_carrier = frozen_factors.carrier
    left join frozen_electricity_factors
        on activities.region_code = frozen_electricity_factors.region_code
        and activities.base_carrier = 'electricity'
),

final as (
    select
        ---------- ids
        factored.region_code,
        factored.institution_id_scheme,
        factored.institution_id,
        factored.year,
        factored.carrier,
        factored.item_code,

        ---------- factor rows
        factored.equivalent_factor_id,
        factored.primary_factor_id,
        factored.emission_factor_id,
        factored.conversion_id,
        factored.coal_conversion_id,
        factored.factor_fallback,

        ---------- what one unit of the amount is worth by them
        factored.equivalent_kgce_per_unit,
        factored.primary_kgce_per_unit,
        factored.emission_tco2_per_unit,
        factored.frozen_tco2_per_unit,

        ---------- texts
        factored.base_carrier,
        factored.return_kind,
        factored.emission_kind,

        ---------- amounts
        factored.amount,
        factored.unit,
        factored.reported_amount,
        factored.reported_unit,
        factored.cost_cny,
        factored.months_reported,

        ---------- standard coal and carbon
        factored.energy_equivalent_kgce,
        factored.energy_primary_kgce,
        factored.emissions_tco2,
        -- no further than the moving factors reach: the two are compared
        case when factored.emissions_tco2 is not null then factored.emissions_frozen_tco2 end as emissions_frozen_tco2,
        case
            when not factored.is_in_energy_total then null
            when factored.emission_factor_id is not null then cast(0 as decimal(38,12))
            when builds.coal_basis = 'equivalent' then factored.energy_equivalent_kgce
            else factored.energy_primary_kgce
        end as energy_without_factor_kgce,

        ---------- booleans
        factored.is_in_energy_total,
        factored.is_vehicle_part,
        factored.is_deducted,
        factored.is_corrected,

        ---------- place of the annual cell, else of the first part
        factored.file_id,
        factored.path,
        factored.sheet,
        factored.row_number,
        factored.column_number
    from factored
    cross join builds
)

select * from final
