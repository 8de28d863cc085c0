{#- What a region's total is made of: every carrier at every level of the profile's regions. Vehicle fuel stands beside
    the carrier that it is a part of; only rows of the energy total add up to it. What is passed on is taken off it. -#}
with

activities as (
    select * from {{ ref('core_activity') }}
),

carriers as (
    select * from {{ ref('carriers') }}
),

paths as (
    select * from {{ ref('core_region_path') }} where is_ancestor_in_scope
),

summed as (
    select
        paths.ancestor_code as region_code,
        activities.year,
        activities.carrier,
        activities.unit,
        activities.is_in_energy_total,
        activities.is_deducted,
        count(*) as n_institutions,
        cast(sum(activities.amount) as decimal(18,4)) as carrier_amount,
        cast(sum(activities.energy_equivalent_kgce) as decimal(38,12)) as energy_equivalent_kgce,
        cast(sum(activities.energy_primary_kgce) as decimal(38,12)) as energy_primary_kgce,
        cast(sum(activities.emissions_tco2) as decimal(38,12)) as emissions_tco2,
        cast(sum(activities.energy_without_factor_kgce) as decimal(38,12)) as energy_without_factor_kgce
    from activities
    inner join paths on activities.region_code = paths.region_code
        and {{ holds_at_year_end('paths', 'activities.year') }}
    group by all
),

totals as (
    select
        region_code,
        year,
        sum(energy_equivalent_kgce) filter (where is_in_energy_total) as energy_total_equivalent_kgce,
        sum(energy_primary_kgce) filter (where is_in_energy_total) as energy_total_primary_kgce,
        sum(emissions_tco2) filter (where is_in_energy_total)
            - coalesce(sum(emissions_tco2) filter (where is_deducted), 0) as emissions_total_tco2
    from summed
    group by all
),

final as (
    select
        ---------- ids
        summed.region_code,
        cast(summed.year as integer) as year,
        summed.carrier,

        ---------- texts
        carriers.carrier_name_zh,
        carriers.carrier_name_en,
        summed.unit,

        ---------- sums
        cast(summed.n_institutions as bigint) as n_institutions,
        summed.carrier_amount,
        summed.energy_equivalent_kgce,
        summed.energy_primary_kgce,
        summed.emissions_tco2,
        summed.energy_without_factor_kgce,

        ---------- shares of the region's total
        {{ ratio('summed.energy_equivalent_kgce', 'totals.energy_total_equivalent_kgce') }} as energy_equivalent_share,
        {{ ratio('summed.energy_primary_kgce', 'totals.energy_total_primary_kgce') }} as energy_primary_share,
        case when not summed.is_deducted then {{ ratio('summed.emissions_tco2', 'totals.emissions_total_tco2') }} end
            as emissions_share,

        ---------- booleans
        summed.is_in_energy_total,
        summed.is_deducted
    from summed
    inner join carriers on summed.carrier = carriers.carrier
    left join totals on summed.region_code = totals.region_code and summed.year = totals.year
)

select * from final
