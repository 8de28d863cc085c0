{#- The inventory of a region and year: masses of gases and their CO2 equivalent, what is given off in the region and, apart,
    what its power and heat cost elsewhere. The part of its public institutions is a row of its own and in no sum. -#}
with

builds as (
    select * from {{ ref('stg_control__build') }}
),

gases as (
    select * from {{ ref('core_inventory_gas') }}
),

regions as (
    select * from {{ ref('stg_control__regions') }} where is_in_scope
),

uncertainties as (
    select * from {{ ref('emission_uncertainty') }} where population = 'inventory'
),

summed as (
    select
        region_code,
        year,
        inventory_scope,

        ---------- masses of what is given off in the region
        cast(sum(gas_mass_kg) filter (where gas = 'CO2' and not is_indirect) as decimal(38,12)) as carbon_dioxide_kg,
        cast(sum(gas_mass_kg) filter (where gas = 'CH4') as decimal(38,12)) as methane_kg,
        cast(sum(gas_mass_kg) filter (where gas = 'N2O') as decimal(38,12)) as nitrous_oxide_kg,

        ---------- carbon, of the gases of the basket
        {%- for name, condition in {
            'emissions_direct_tco2e': 'not is_indirect',
            'emissions_energy_tco2e': "not is_indirect and starts_with(category_code, '1.')",
            'emissions_industry_tco2e': "starts_with(category_code, '2.')",
            'emissions_agriculture_tco2e': "starts_with(category_code, '3.') and not starts_with(category_code, '3.B')",
            'emissions_land_use_tco2e': "starts_with(category_code, '3.B')",
            'emissions_waste_tco2e': "starts_with(category_code, '4.')",
            'emissions_indirect_tco2e': 'is_indirect',
            'emissions_total_tco2e': 'true',
        }.items() %}
        cast(sum(emissions_tco2e) filter (where is_in_basket and missing_reason is null and {{ condition }})
            as decimal(38,12)) as {{ name }},
        {%- endfor %}
        cast(sum(emissions_tco2e) filter (where not is_in_basket) as decimal(38,12)) as emissions_outside_basket_tco2e,

        ---------- counts
        count(distinct (activity_category, subject)) as n_activities,
        count(distinct (activity_category, subject)) filter (where missing_reason is not null) as n_activities_incomplete,
        string_agg(distinct missing_reason, ', ' order by missing_reason) as missing_reasons,
        bool_or(has_unconfirmed_factor) as has_unconfirmed_factor
    from gases
    group by all
),

final as (
    select
        ---------- ids
        regions.region_code,
        regions.region_name_zh,
        regions.region_name_en,
        cast(summed.year as integer) as year,
        summed.inventory_scope,
        builds.gwp_edition,

        ---------- masses
        summed.carbon_dioxide_kg,
        summed.methane_kg,
        summed.nitrous_oxide_kg,

        ---------- carbon
        summed.emissions_direct_tco2e,
        direct.figure_low_tco2 as emissions_direct_low_tco2e,
        direct.figure_high_tco2 as emissions_direct_high_tco2e,
        case when summed.inventory_scope = 'district' then coalesce(direct.uncertainty_state, 'no_emissions') end
            as uncertainty_state,
        summed.emissions_energy_tco2e,
        summed.emissions_industry_tco2e,
        summed.emissions_agriculture_tco2e,
        summed.emissions_land_use_tco2e,
        summed.emissions_waste_tco2e,
        summed.emissions_indirect_tco2e,
        summed.emissions_total_tco2e,
        summed.emissions_outside_basket_tco2e,

        ---------- completeness
        summed.n_activities,
        summed.n_activities_incomplete,
        summed.missing_reasons,
        summed.n_activities_incomplete = 0 as is_emissions_complete,
        summed.has_unconfirmed_factor
    from summed
    cross join builds
    inner join regions on summed.region_code = regions.region_code
    left join uncertainties as direct
        on summed.inventory_scope = 'district'
        and summed.region_code = direct.region_code
        and summed.year = direct.year
        and direct.figure = 'inventory_direct_tco2e'
)

select * from final
