{#- Every institution with an approved return, every year: what it used, what that is in standard coal and in CO2. -#}
with

institutions as (
    select * from {{ ref('core_institution') }}
),

activities as (
    select * from {{ ref('core_activity') }}
),

amounts as (
    select * from {{ ref('core_reported_amount') }}
),

audited as (
    select * from {{ ref('core_audit_value') }}
),

period_states as (
    select * from {{ ref('core_period_state') }}
),

heating as (
    select * from {{ ref('core_heating') }}
),

market_factors as (
    select * from {{ ref('core_market_factor') }}
),

green_power as (
    select
        institution_id,
        year,
        sum(volume_kwh) filter (where is_proven) as green_proven_kwh,
        sum(volume_kwh) filter (where not is_proven) as green_electricity_unproven_kwh
    from {{ ref('green_power') }}
    group by institution_id, year
),

uncertainties as (
    select * from {{ ref('core_institution_uncertainty') }}
),

-- all data rooms of an institution together
data_rooms as (
    select
        institution_id_scheme,
        institution_id,
        year,
        cast(sum(electricity_kwh) as decimal(18,4)) as data_room_electricity_kwh,
        cast(sum(photovoltaic_generation_kwh) as decimal(18,4)) as data_room_photovoltaic_kwh
    from {{ ref('core_data_room') }}
    group by institution_id_scheme, institution_id, year
),


carriers as (
    select
        institution_id_scheme,
        institution_id,
        year,

        ---------- amounts
        max(amount) filter (where carrier = 'electricity') as electricity_kwh,
        max(amount) filter (where carrier = 'natural_gas') as natural_gas_m3,
        max(amount) filter (where carrier = 'coal') as coal_t,
        max(amount) filter (where carrier = 'gasoline') as gasoline_l,
        max(amount) filter (where carrier = 'gasoline_vehicle') as gasoline_vehicle_l,
        max(amount) filter (where carrier = 'diesel') as diesel_l,
        max(amount) filter (where carrier = 'diesel_vehicle') as diesel_vehicle_l,
        max(amount) filter (where carrier = 'lpg') as lpg_kg,
        max(amount) filter (where carrier = 'heat') as heat_gj,
        max(amount) filter (where carrier = 'other_energy') as other_energy_kgce,
        max(amount) filter (where carrier = 'water') as water_m3,

        ---------- outside the energy total
        max(amount) filter (where carrier = 'electricity_passed_on') as electricity_passed_on_kwh,
        max(amount) filter (where carrier = 'heat_passed_on') as heat_passed_on_gj,
        max(amount) filter (where carrier = 'photovoltaic_generation') as photovoltaic_generation_kwh,
        max(amount) filter (where carrier = 'photovoltaic_self_use') as photovoltaic_self_use_kwh,
        max(amount) filter (where carrier = 'photovoltaic_export') as photovoltaic_export_kwh,
        max(amount) filter (where carrier = 'cooling') as cooling_gj,

        ---------- sums over what is reported; null only when nothing is
        sum(energy_equivalent_kgce) filter (where is_in_energy_total) as energy_total_equivalent_kgce,
        sum(energy_primary_kgce) filter (where is_in_energy_total) as energy_total_primary_kgce,
        sum(energy_without_factor_kgce) filter (where is_in_energy_total) as energy_without_factor_kgce,
        sum(emissions_tco2) filter (where is_in_energy_total and emission_kind = 'direct') as emissions_direct_tco2,
        -- what is passed on to third parties is deducted at the factor at which it was bought
        sum(emissions_tco2) filter (where is_in_energy_total and emission_kind = 'electricity')
            - coalesce(sum(emissions_tco2) filter (where is_deducted and emission_kind = 'electricity'), 0)
            as emissions_electricity_tco2,
        sum(emissions_tco2) filter (where is_in_energy_total and emission_kind = 'heat')
            - coalesce(sum(emissions_tco2) filter (where is_deducted and emission_kind = 'heat'), 0) as emissions_heat_tco2,
        sum(emissions_tco2) filter (where is_in_energy_total)
            - coalesce(sum(emissions_tco2) filter (where is_deducted), 0) as emissions_total_tco2,

        ---------- the same activity at the factors of the base year; unknown where one of them is
        case when bool_and(emissions_frozen_tco2 is not null or emissions_tco2 is null)
            filter (where emission_kind = 'electricity') then
            sum(emissions_frozen_tco2) filter (where is_in_energy_total and emission_kind = 'electricity')
                - coalesce(sum(emissions_frozen_tco2) filter (where is_deducted and emission_kind = 'electricity'), 0)
        end as emissions_electricity_frozen_tco2,
        case when bool_and(emissions_frozen_tco2 is not null or emissions_tco2 is null) then
            sum(emissions_frozen_tco2) filter (where is_in_energy_total)
                - coalesce(sum(emissions_frozen_tco2) filter (where is_deducted), 0)
        end as emissions_total_frozen_tco2,

        ---------- vehicle fuel, a part of gasoline and diesel
        coalesce(sum(energy_equivalent_kgce) filter (where is_vehicle_part), 0) as vehicle_equivalent_kgce,
        coalesce(sum(energy_primary_kgce) filter (where is_vehicle_part), 0) as vehicle_primary_kgce,
        coalesce(sum(emissions_tco2) filter (where is_vehicle_part), 0) as vehicle_emissions_tco2,

        ---------- the sources that the amounts are taken from
        concat_ws(
            ', ',
            case when bool_or(return_kind not in ('metered', 'audited')) then 'reported' end,
            case when bool_or(return_kind = 'metered') then 'metered' end,
            case when bool_or(return_kind = 'audited') then 'audited' end
        ) as amount_sources,

        ---------- the electricity row that was used
        max(emission_factor_id) filter (where carrier = 'electricity') as electricity_factor_id,
        max(factor_fallback) filter (where carrier = 'electricity') as factor_fallback
    from activities
    group by all
),

-- why building energy (total without vehicle fuel) cannot be told
splits as (
    select
        *,
        case
            when energy_total_equivalent_kgce is null then 'no_energy_reported'
            when (gasoline_l is null and gasoline_vehicle_l is not null)
                or (diesel_l is null and diesel_vehicle_l is not null) then 'vehicle_fuel_without_total'
            when gasoline_l > 0 and gasoline_vehicle_l is null and diesel_l > 0 and diesel_vehicle_l is null
                then 'gasoline_and_diesel_split_missing'
            when gasoline_l > 0 and gasoline_vehicle_l is null then 'gasoline_split_missing'
            when diesel_l > 0 and diesel_vehicle_l is null then 'diesel_split_missing'
        end as building_energy_reason
    from carriers
),

costs as (
    select
        institution_id_scheme,
        institution_id,
        year,
        max(amount) filter (where carrier = 'electricity') as electricity_cost_cny,
        max(amount) filter (where carrier = 'natural_gas') as natural_gas_cost_cny,
        max(amount) filter (where carrier = 'water') as water_cost_cny,
        max(amount) filter (where carrier = 'gasoline') as gasoline_cost_cny,
        max(amount) filter (where carrier = 'diesel') as diesel_cost_cny,
        max(amount) filter (where carrier = 'heat') as heat_cost_cny
    from amounts
    where measure = 'cost'
    group by all
),

audits as (
    select
        institution_id,
        year,
        amount as electricity_audited_kwh
    from audited
    where item_code = 'electricity' and period_kind = 'year'
),

joined as (
    select
        institutions.*,
        splits.* exclude (institution_id_scheme, institution_id, year, energy_without_factor_kgce, building_energy_reason),
        costs.* exclude (institution_id_scheme, institution_id, year),
        coalesce(splits.building_energy_reason,
            case when splits.year is null then 'no_energy_reported' end) as building_energy_reason,
        splits.energy_without_factor_kgce,
        green_power.green_proven_kwh,
        green_power.green_electricity_unproven_kwh,
        market_factors.factor_id as market_factor_id,
        market_factors.tco2_per_kwh as market_tco2_per_kwh,
        splits.electricity_kwh - coalesce(splits.electricity_passed_on_kwh, 0) as electricity_kept_kwh,
        period_states.period_state,
        period_states.period_state_reason,
        uncertainties.bounds_state,
        uncertainties.minus_tco2,
        uncertainties.plus_tco2,
        audits.electricity_audited_kwh,
        data_rooms.data_room_electricity_kwh,
        data_rooms.data_room_photovoltaic_kwh,
        heating.heated_area_m2,
        heating.heating_electricity_kwh,
        heating.heating_natural_gas_m3,
        heating.heating_heat_gj,
        coalesce(heating.has_unmeasured_heat, false) as has_unmeasured_heat
    from institutions
    left join splits using (institution_id_scheme, institution_id, year)
    left join costs using (institution_id_scheme, institution_id, year)
    left join data_rooms using (institution_id_scheme, institution_id, year)
    left join heating using (institution_id_scheme, institution_id, year)
    left join uncertainties using (institution_id_scheme, institution_id, year)
    left join audits
        on institutions.institution_id = audits.institution_id
        and institutions.year = audits.year
    left join green_power
        on institutions.institution_id = green_power.institution_id
        and institutions.year = green_power.year
    left join market_factors
        on institutions.region_code = market_factors.region_code
        and institutions.year = market_factors.year
    inner join period_states on institutions.year = period_states.year
),

-- green power can be no more than what was bought and kept; all the rest takes one row, never the average beside it
marketed as (
    select
        *,
        -- `least` passes over what is not known, so both sides are asked for
        case when green_proven_kwh is not null and electricity_kept_kwh is not null
            then least(green_proven_kwh, greatest(electricity_kept_kwh, 0)) end as green_electricity_kwh,
        {{ mul('electricity_kept_kwh - coalesce(green_electricity_kwh, 0)', 'market_tco2_per_kwh') }}
            as emissions_electricity_market_based_tco2
    from joined
),

built as (
    select
        *,
        case when building_energy_reason is null then energy_total_equivalent_kgce - vehicle_equivalent_kgce end
            as energy_building_equivalent_kgce,
        case when building_energy_reason is null then energy_total_primary_kgce - vehicle_primary_kgce end
            as energy_building_primary_kgce,
        case when building_energy_reason is null then emissions_total_tco2 - vehicle_emissions_tco2 end
            as emissions_building_tco2,
        case when building_energy_reason is null then emissions_direct_tco2 - vehicle_emissions_tco2 end
            as emissions_direct_building_tco2,
        case when building_energy_reason is null and emissions_direct_tco2 is not null then vehicle_emissions_tco2 end
            as emissions_direct_vehicles_tco2,
        case when electricity_kwh is null then emissions_total_tco2
            when emissions_electricity_market_based_tco2 is not null then
                coalesce(emissions_direct_tco2, 0) + coalesce(emissions_heat_tco2, 0)
                    + emissions_electricity_market_based_tco2
        end as emissions_total_market_based_tco2
    from marketed
),

final as (
    select
        ---------- ids
        region_code,
        institution_id,
        institution_id_scheme,
        institution_name,
        institution_type_code,

        ---------- period
        cast(year as integer) as year,
        year_starts_on,
        boundary_changed_on,
        period_state,
        period_state_reason,

        ---------- denominators
        cast(floor_area_m2 as decimal(18,4)) as floor_area_m2,
        cast(energy_users_persons as decimal(18,4)) as energy_users_persons,

        ---------- amounts
        electricity_kwh,
        natural_gas_m3,
        coal_t,
        gasoline_l,
        gasoline_vehicle_l,
        diesel_l,
        diesel_vehicle_l,
        lpg_kg,
        heat_gj,
        other_energy_kgce,
        water_m3,

        ---------- outside the energy total: passed on, made on site, cooling
        electricity_passed_on_kwh,
        heat_passed_on_gj,
        coalesce(photovoltaic_generation_kwh, data_room_photovoltaic_kwh) as photovoltaic_generation_kwh,
        photovoltaic_self_use_kwh,
        photovoltaic_export_kwh,
        cooling_gj,

        ---------- green power, in what was bought: with a valid document, and stated without one
        cast(green_electricity_kwh as decimal(18,4)) as green_electricity_kwh,
        cast(green_electricity_unproven_kwh as decimal(18,4)) as green_electricity_unproven_kwh,

        ---------- of which, in the amounts above and never added to them
        data_room_electricity_kwh,
        heating_electricity_kwh,
        heating_natural_gas_m3,
        heating_heat_gj,
        heated_area_m2,
        has_unmeasured_heat,

        ---------- standard coal
        cast(energy_total_equivalent_kgce as decimal(38,12)) as energy_total_equivalent_kgce,
        cast(energy_total_primary_kgce as decimal(38,12)) as energy_total_primary_kgce,
        cast(energy_building_equivalent_kgce as decimal(38,12)) as energy_building_equivalent_kgce,
        cast(energy_building_primary_kgce as decimal(38,12)) as energy_building_primary_kgce,
        building_energy_reason,

        ---------- carbon
        cast(emissions_direct_tco2 as decimal(38,12)) as emissions_direct_tco2,
        cast(emissions_direct_building_tco2 as decimal(38,12)) as emissions_direct_building_tco2,
        cast(emissions_direct_vehicles_tco2 as decimal(38,12)) as emissions_direct_vehicles_tco2,
        cast(emissions_electricity_tco2 as decimal(38,12)) as emissions_electricity_tco2,
        cast(emissions_heat_tco2 as decimal(38,12)) as emissions_heat_tco2,
        cast(emissions_total_tco2 as decimal(38,12)) as emissions_total_tco2,
        cast(emissions_building_tco2 as decimal(38,12)) as emissions_building_tco2,

        ---------- carbon by the second view: green power 0, all the rest at one national row
        cast(emissions_electricity_market_based_tco2 as decimal(38,12)) as emissions_electricity_market_based_tco2,
        cast(emissions_total_market_based_tco2 as decimal(38,12)) as emissions_total_market_based_tco2,

        ---------- carbon at the factors of the base year
        cast(emissions_electricity_frozen_tco2 as decimal(38,12)) as emissions_electricity_frozen_tco2,
        cast(emissions_total_frozen_tco2 as decimal(38,12)) as emissions_total_frozen_tco2,

        ---------- costs
        electricity_cost_cny,
        natural_gas_cost_cny,
        water_cost_cny,
        gasoline_cost_cny,
        diesel_cost_cny,
        heat_cost_cny,

        ---------- how far the emissions may lie from the sum
        {{ low_end('emissions_total_tco2', 'minus_tco2') }} as emissions_total_low_tco2,
        cast(emissions_total_tco2 as double) + plus_tco2 as emissions_total_high_tco2,
        {{ uncertainty_state('emissions_total_tco2', 'minus_tco2', 'bounds_state') }} as uncertainty_state,

        ---------- intensities
        {{ ratio('energy_building_equivalent_kgce', 'floor_area_m2') }} as energy_per_area_equivalent_kgce_m2,
        {{ ratio('energy_building_primary_kgce', 'floor_area_m2') }} as energy_per_area_primary_kgce_m2,
        {{ ratio('energy_total_equivalent_kgce', 'energy_users_persons') }} as energy_per_capita_equivalent_kgce_person,
        {{ ratio('energy_total_primary_kgce', 'energy_users_persons') }} as energy_per_capita_primary_kgce_person,
        {{ ratio('water_m3', 'energy_users_persons') }} as water_per_capita_m3_person,
        {{ ratio('emissions_total_tco2', 'floor_area_m2') }} * 1000 as emissions_per_area_kgco2_m2,
        {{ ratio('emissions_building_tco2', 'floor_area_m2') }} * 1000 as emissions_per_area_building_kgco2_m2,

        ---------- completeness
        months_reported,
        return_kind,
        amount_sources,
        electricity_audited_kwh,
        {{ ratio('electricity_audited_kwh - electricity_kwh', 'electricity_kwh') }} as audit_difference_share,
        is_registered,
        coalesce(energy_without_factor_kgce = 0 and coalesce(cooling_gj, 0) = 0, false) as is_emissions_complete,
        cast(energy_without_factor_kgce as decimal(38,12)) as energy_without_factor_kgce,
        electricity_factor_id,
        factor_fallback,
        case when emissions_electricity_market_based_tco2 is not null then market_factor_id end as market_factor_id,
        n_quarantined_values
    from built
)

select * from final
