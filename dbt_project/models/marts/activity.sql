{#- What every institution used of every carrier in a year, with the factor rows and what one unit is worth by each of them:
    the entries that energy and emissions are sums of. Green power with a valid document is an entry of its own, since one
    view takes it off. -#}
with

builds as (
    select * from {{ ref('stg_control__build') }}
),

activities as (
    select * from {{ ref('core_activity') }}
),

institutions as (
    select * from {{ ref('institution_year') }}
),

market_factors as (
    select * from {{ ref('core_market_factor') }}
),

bought as (
    select
        institution_id_scheme,
        institution_id,
        year,
        bool_or(carrier = 'electricity') as has_electricity,
        bool_or(is_in_energy_total and emission_kind = 'heat') as has_heat
    from activities
    group by institution_id_scheme, institution_id, year
),

entries as (
    select
        activities.*,
        case
            when not bought.has_electricity then activities.emission_tco2_per_unit
            when activities.carrier in ('electricity', 'electricity_passed_on') then market_factors.tco2_per_kwh
            -- the view is a sum of its parts, and heat that was passed on is taken off heat that was bought
            when activities.emission_kind = 'direct' or (activities.emission_kind = 'heat' and bought.has_heat)
                then activities.emission_tco2_per_unit
        end as market_tco2_per_unit,
        case when activities.carrier in ('electricity', 'electricity_passed_on') and bought.has_electricity
            then market_factors.factor_id end as market_factor_id,
        -- what one unit adds to energy whose CO2 is not covered
        case
            when not activities.is_in_energy_total then null
            when activities.emission_factor_id is not null then 0
            when builds.coal_basis = 'equivalent' then activities.equivalent_kgce_per_unit
            else activities.primary_kgce_per_unit
        end as uncovered_kgce_per_unit
    from activities
    cross join builds
    inner join bought using (institution_id_scheme, institution_id, year)
    left join market_factors
        on activities.region_code = market_factors.region_code
        and activities.year = market_factors.year

    union all by name

    select
        institutions.region_code,
        institutions.institution_id_scheme,
        institutions.institution_id,
        institutions.year,
        'green_electricity' as carrier,
        'green_electricity' as item_code,
        institutions.green_electricity_kwh as amount,
        'kWh' as unit,
        false as is_in_energy_total,
        false as is_vehicle_part,
        false as is_deducted,
        false as is_corrected,
        market_factors.tco2_per_kwh as market_tco2_per_unit,
        market_factors.factor_id as market_factor_id
    from institutions
    left join market_factors
        on institutions.region_code = market_factors.region_code
        and institutions.year = market_factors.year
    where institutions.green_electricity_kwh is not null
),

final as (
    select
        ---------- ids
        region_code,
        institution_id_scheme,
        institution_id,
        cast(year as integer) as year,
        carrier,
        item_code,

        ---------- texts
        return_kind,
        emission_kind,

        ---------- amount
        amount as entry_amount,
        unit,
        months_reported,
        conversion_id,

        ---------- standard coal
        equivalent_factor_id,
        equivalent_kgce_per_unit,
        primary_factor_id,
        primary_kgce_per_unit,
        coal_conversion_id,

        ---------- carbon
        emission_factor_id,
        emission_tco2_per_unit,
        factor_fallback,
        emissions_tco2,
        case when emissions_tco2 is not null then frozen_tco2_per_unit end as frozen_tco2_per_unit,
        market_factor_id,
        market_tco2_per_unit,
        cast(uncovered_kgce_per_unit as decimal(18,8)) as uncovered_kgce_per_unit,

        ---------- booleans
        is_in_energy_total,
        is_vehicle_part,
        is_deducted,
        is_corrected
    from entries
)

select * from final
