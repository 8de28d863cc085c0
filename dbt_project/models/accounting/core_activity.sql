{#- One row per institution, year and carrier: what was used, what it is worth in standard coal and in CO2. -#}
with

builds as (
    select * from {{ ref('stg_control__build') }}
),

amounts as not materialized (
    select * from {{ ref('core_chosen_amount') }}
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

-- what a carrier takes in a year; what is burned emits directly, heat where it was made
coefficients as (
    select
        year,
        carrier,
        max(factor_id) filter (where purpose = 'standard_coal_equivalent') as equivalent_factor_id,
        max(conversion_id) filter (where purpose = 'standard_coal_equivalent') as coal_conversion_id,
        max(result_per_unit) filter (where purpose = 'standard_coal_equivalent') as equivalent_kgce_per_unit,
        max(factor_id) filter (where purpose = 'standard_coal_primary') as primary_factor_id,
        max(result_per_unit) filter (where purpose = 'standard_coal_primary') as primary_kgce_per_unit,
        max(case purpose when 'direct_emissions' then 'direct' when 'heat_emissions' then 'heat' end) as emission_kind,
        max(factor_id) filter (where purpose in ('direct_emissions', 'heat_emissions')) as emission_factor_id,
        max(result_per_unit) filter (where purpose in ('direct_emissions', 'heat_emissions')) as tco2_per_unit
    from carrier_factors
    group by year, carrier
),

-- beside it what it takes in the base year, whose factors stay where they are
carrier_coefficients as (
    select
        coefficients.*,
        frozen.emission_factor_id as base_year_factor_id,
        frozen.tco2_per_unit as base_year_tco2_per_unit
    from coefficients
    cross join builds
    left join coefficients as frozen
        on builds.base_year = frozen.year
        and coefficients.carrier = frozen.carrier
),

grid_coefficients as (
    select
        electricity_factors.*,
        frozen.factor_id as base_year_factor_id,
        frozen.tco2_per_kwh as base_year_tco2_per_kwh
    from electricity_factors
    cross join builds
    left join electricity_factors as frozen
        on builds.base_year = frozen.year
        and electricity_factors.region_code = frozen.region_code
),

-- parts (vehicle fuel) take the rows of the carrier that they are a part of
activities as (
    select
        amounts.*,
        institutions.region_code,
        carriers.base_carrier,
        carriers.is_in_energy_total,
        carriers.is_vehicle_part,
        carriers.is_deducted,
        taken.equivalent_factor_id,
        taken.primary_factor_id,
        taken.coal_conversion_id,
        coalesce(taken.emission_factor_id, grids.factor_id) as emission_factor_id,
        coalesce(taken.base_year_factor_id, grids.base_year_factor_id) as frozen_factor_id,
        coalesce(taken.emission_kind, case when grids.factor_id is not null then 'electricity' end) as emission_kind,
        grids.factor_fallback,
        taken.equivalent_kgce_per_unit,
        taken.primary_kgce_per_unit,
        coalesce(taken.tco2_per_unit, grids.tco2_per_kwh) as emission_tco2_per_unit,
        coalesce(taken.base_year_tco2_per_unit, grids.base_year_tco2_per_kwh) as frozen_tco2_per_unit,
        {{ mul('amounts.amount', 'equivalent_kgce_per_unit') }} as energy_equivalent_kgce,
        {{ mul('amounts.amount', 'primary_kgce_per_unit') }} as energy_primary_kgce,
        {{ mul('amounts.amount', 'emission_tco2_per_unit') }} as emissions_tco2,
        {{ mul('amounts.amount', 'frozen_tco2_per_unit') }} as emissions_frozen_tco2
    from amounts
    inner join institutions using (institution_id_scheme, institution_id, year)
    inner join carriers on amounts.carrier = carriers.carrier
    left join carrier_coefficients as taken
        on amounts.year = taken.year
        and carriers.base_carrier = taken.carrier
    left join grid_coefficients as grids
        on amounts.year = grids.year
        and institutions.region_code = grids.region_code
        and carriers.base_carrier = 'electricity'
    where amounts.measure = 'amount' and amounts.amount is not null
),

final as (
    select
        ---------- ids
        activities.region_code,
        activities.institution_id_scheme,
        activities.institution_id,
        activities.year,
        activities.carrier,
        activities.item_code,

        ---------- factor rows
        activities.equivalent_factor_id,
        activities.primary_factor_id,
        activities.emission_factor_id,
        case when activities.emissions_tco2 is not null then activities.frozen_factor_id end as frozen_factor_id,
        activities.conversion_id,
        activities.coal_conversion_id,
        activities.factor_fallback,

        ---------- what one unit of the amount is worth by them
        activities.equivalent_kgce_per_unit,
        activities.primary_kgce_per_unit,
        activities.emission_tco2_per_unit,
        activities.frozen_tco2_per_unit,

        ---------- texts
        activities.base_carrier,
        activities.return_kind,
        activities.emission_kind,

        ---------- amounts
        activities.amount,
        activities.unit,
        activities.months_reported,

        ---------- standard coal and carbon
        activities.energy_equivalent_kgce,
        activities.energy_primary_kgce,
        activities.emissions_tco2,
        -- no further than the moving factors reach: the two are compared
        case when activities.emissions_tco2 is not null then activities.emissions_frozen_tco2 end as emissions_frozen_tco2,
        case
            when not activities.is_in_energy_total then null
            when activities.emission_factor_id is not null then cast(0 as decimal(38,12))
            when builds.coal_basis = 'equivalent' then activities.energy_equivalent_kgce
            else activities.energy_primary_kgce
        end as energy_without_factor_kgce,

        ---------- booleans
        activities.is_in_energy_total,
        activities.is_vehicle_part,
        activities.is_deducted,
        activities.is_corrected
    from activities
    cross join builds
)

select * from final
