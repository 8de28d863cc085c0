{#- Every metered building, every year. Buildings and institutions are two views: nothing here adds up to a region. -#}

{%- set metered_columns = [
    'electricity_kwh', 'lighting_electricity_kwh', 'air_conditioning_electricity_kwh', 'power_electricity_kwh',
    'special_electricity_kwh', 'natural_gas_m3', 'water_m3',
] %}

with

meters as (
    select * from {{ ref('core_meter_year') }}
),

buildings as (
    select * from {{ ref('core_building') }}
),

register as (
    select * from {{ ref('stg_registers__buildings') }}
),

register_entries as (
    select * from {{ ref('core_register_entry') }}
),

items as (
    select * from {{ ref('metering_items') }}
),

carrier_factors as (
    select * from {{ ref('core_carrier_factor') }}
),

balances as (
    select * from {{ ref('core_meter_balance') }}
),

electricity_factors as (
    select * from {{ ref('core_electricity_factor') }} where is_in_force
),

-- the code table says which item is published under which name; sub-items are parts of the total and never added to it
metered as (
    select
        meters.building_code,
        meters.year,

        ---------- amounts
        {%- for column in metered_columns %}
        sum(meters.amount) filter (where items.published_as = '{{ column }}') as {{ column }},
        {%- endfor %}

        ---------- readings
        sum(meters.covered_s) filter (where items.published_as = 'electricity_kwh') as electricity_covered_s,
        count(*) filter (where items.published_as = 'electricity_kwh') as n_electricity_meters,
        sum(meters.n_readings) as n_readings,
        sum(meters.n_zero_readings) as n_zero_readings,
        sum(meters.n_repaired_readings) as n_repaired_readings,
        sum(meters.repaired_amount) filter (where items.published_as = 'electricity_kwh') as electricity_repaired_kwh,
        sum(meters.spread_amount) filter (where items.published_as = 'electricity_kwh') as electricity_spread_kwh
    from meters
    left join items on meters.item_code = items.item_code
    where meters.is_counted_in_building
    group by all
),

-- the register's area that is valid on 31 December
areas as (
    select
        metered.building_code,
        metered.year,
        register.floor_area_m2
    from metered
    inner join register_entries
        on register_entries.register_kind = 'building'
        and metered.building_code = register_entries.register_key
        and not register_entries.is_superseded
        and coalesce(register_entries.valid_from, date '0001-01-01') <= make_date(metered.year, 12, 31)
        and coalesce(register_entries.valid_to, date '9999-12-31') >= make_date(metered.year, 12, 31)
    inner join register
        on register_entries.file_id = register.file_id
        and register_entries.sheet is not distinct from register.sheet
        and register_entries.row_number = register.row_number
    qualify row_number() over (
        partition by metered.building_code, metered.year
        order by register_entries.valid_from, register_entries.path, register_entries.row_number
    ) = 1
),

factored as (
    select
        metered.*,
        balances.gap_amount as electricity_not_itemised_kwh,
        buildings.* exclude (building_code, floor_area_m2),
        coalesce(areas.floor_area_m2, buildings.floor_area_m2) as floor_area_m2,
        electricity_factors.factor_id as electricity_factor_id,
        electricity_factors.factor_fallback,
        {{ mul('metered.electricity_kwh', 'electricity_equivalents.result_per_unit') }} as electricity_equivalent_kgce,
        {{ mul('metered.electricity_kwh', 'electricity_primaries.result_per_unit') }} as electricity_primary_kgce,
        {{ mul('metered.natural_gas_m3', 'gas_equivalents.result_per_unit') }} as gas_equivalent_kgce,
        {{ mul('metered.natural_gas_m3', 'gas_primaries.result_per_unit') }} as gas_primary_kgce,
        {{ mul('metered.natural_gas_m3', 'gas_emissions.result_per_unit') }} as emissions_direct_tco2,
        {{ mul('metered.electricity_kwh', 'electricity_factors.tco2_per_kwh') }} as emissions_electricity_tco2
    from metered
    inner join buildings on metered.building_code = buildings.building_code
    left join areas
        on metered.building_code = areas.building_code
        and metered.year = areas.year
    -- what the sub-items of the total leave open, where all of them are metered
    left join balances
        on metered.building_code = balances.building_code
        and metered.year = balances.year
        and balances.balance_kind = 'items'
        and balances.item_code in (select item_code from items where published_as = 'electricity_kwh')
        and balances.n_parts_present >= balances.n_parts_declared
    left join electricity_factors
        on buildings.region_code = electricity_factors.region_code
        and metered.year = electricity_factors.year
    {%- for alias, carrier, purpose in [
        ('electricity_equivalents', 'electricity', 'standard_coal_equivalent'),
        ('electricity_primaries', 'electricity', 'standard_coal_primary'),
        ('gas_equivalents', 'natural_gas', 'standard_coal_equivalent'),
        ('gas_primaries', 'natural_gas', 'standard_coal_primary'),
        ('gas_emissions', 'natural_gas', 'direct_emissions'),
    ] %}
    left join carrier_factors as {{ alias }}
        on metered.year = {{ alias }}.year
        and {{ alias }}.carrier = '{{ carrier }}'
        and {{ alias }}.purpose = '{{ purpose }}'
    {%- endfor %}
),

-- a carrier without readings is missing, not zero; the total is of the carriers that are metered
totalled as (
    select
        *,
        case when electricity_kwh is not null or natural_gas_m3 is not null
            then coalesce(electricity_equivalent_kgce, 0) + coalesce(gas_equivalent_kgce, 0)
        end as energy_total_equivalent_kgce,
        case when electricity_kwh is not null or natural_gas_m3 is not null
            then coalesce(electricity_primary_kgce, 0) + coalesce(gas_primary_kgce, 0)
        end as energy_total_primary_kgce,
        -- a metered carrier without a factor leaves the total unknown
        case when (electricity_kwh is null or emissions_electricity_tco2 is not null)
            and (natural_gas_m3 is null or emissions_direct_tco2 is not null)
            and (electricity_kwh is not null or natural_gas_m3 is not null)
            then coalesce(emissions_direct_tco2, 0) + coalesce(emissions_electricity_tco2, 0)
        end as emissions_total_tco2
    from factored
),

final as (
    select
        ---------- ids
        region_code,
        building_code,
        building_name,
        building_class_code,
        owner_kind,
        institution_id,
        year,

        ---------- denominators
        cast(floor_area_m2 as decimal(18,4)) as floor_area_m2,
        air_conditioned_area_m2,
        heated_area_m2,

        ---------- envelope and systems
        body_shape_coefficient_per_m,
        built_year,
        n_floors_above,
        n_floors_below,
        structure_type_code,
        air_conditioning_type_code,
        heating_type_code,
        wall_material_code,
        wall_insulation_code,
        window_type_code,
        glass_type_code,
        window_frame_code,

        ---------- amounts
        {%- for column in metered_columns %}
        cast({{ column }} as decimal(18,4)) as {{ column }},
        {%- endfor %}
        electricity_not_itemised_kwh,

        ---------- standard coal
        cast(energy_total_equivalent_kgce as decimal(38,12)) as energy_total_equivalent_kgce,
        cast(energy_total_primary_kgce as decimal(38,12)) as energy_total_primary_kgce,

        ---------- carbon
        cast(emissions_direct_tco2 as decimal(38,12)) as emissions_direct_tco2,
        cast(emissions_electricity_tco2 as decimal(38,12)) as emissions_electricity_tco2,
        cast(emissions_total_tco2 as decimal(38,12)) as emissions_total_tco2,

        ---------- intensities
        {{ ratio('energy_total_equivalent_kgce', 'floor_area_m2') }} as energy_per_area_equivalent_kgce_m2,
        {{ ratio('energy_total_primary_kgce', 'floor_area_m2') }} as energy_per_area_primary_kgce_m2,

        ---------- completeness
        {{ ratio(
            'electricity_covered_s',
            "n_electricity_meters
                * date_diff('second', make_timestamp(year, 1, 1, 0, 0, 0), make_timestamp(year + 1, 1, 1, 0, 0, 0))"
        ) }} as electricity_coverage_share,
        {{ ratio('electricity_repaired_kwh', 'electricity_kwh') }} as electricity_repaired_share,
        {{ ratio('electricity_spread_kwh', 'electricity_kwh') }} as electricity_spread_share,
        cast(n_readings as bigint) as n_readings,
        cast(n_zero_readings as bigint) as n_zero_readings,
        cast(n_repaired_readings as bigint) as n_repaired_readings,
        is_registered,
        electricity_factor_id,
        factor_fallback
    from totalled
)

select * from final
