{#- What meters count by month in their buildings, in the unit of the item, with what one unit is worth: the entries that a
    building's year is a sum of. A year is converted once, after all sums; its months are the steps of the converted sum, so
    that they add up exactly. -#}
with

read_months as (
    select * from {{ ref('core_meter_month') }}
),

virtual_months as (
    select * from {{ ref('core_virtual_meter_month') }}
),

years as (
    select * from {{ ref('core_meter_year') }}
),

items as (
    select * from {{ ref('metering_items') }}
),

buildings as (
    select * from {{ ref('core_building') }}
),

carrier_conversions as (
    select * from {{ ref('carrier_conversions') }}
),

carrier_factors as (
    select * from {{ ref('core_carrier_factor') }}
),

electricity_factors as (
    select * from {{ ref('core_electricity_factor') }} where is_in_force
),

months as (
    select *, false as is_virtual from read_months
    union all by name
    select *, true as is_virtual, 0 as n_readings from virtual_months
),

-- the amount up to the end of each month, in the unit that was read
cumulated as (
    select
        months.*,
        years.unit,
        items.published_as,
        items.carrier,
        buildings.region_code,
        case when months.reported_unit = items.canonical_unit then 1 else carrier_conversions.multiplier end as multiplier,
        sum(months.reported_amount) over up_to_now as to_amount,
        sum(months.reported_amount) over up_to_now - months.reported_amount as from_amount
    from months
    inner join years
        on months.building_code = years.building_code
        and months.meter_id is not distinct from years.meter_id
        and months.item_code = years.item_code
        and months.year = years.year
        and months.reported_unit = years.reported_unit
        and months.is_virtual = years.is_virtual
        and years.is_counted_in_building
    inner join items on months.item_code = items.item_code and items.published_as is not null
    inner join buildings on months.building_code = buildings.building_code
    left join carrier_conversions
        on items.carrier = carrier_conversions.carrier
        and months.reported_unit = carrier_conversions.from_unit
        and items.canonical_unit = carrier_conversions.to_unit
    where months.reported_amount is not null
    window up_to_now as (
        partition by
            months.building_code, months.meter_id, months.item_code, months.year, months.reported_unit, months.is_virtual
        order by months.month
    )
),

counted as (
    select
        *,
        {{ converted('to_amount', '1', 'multiplier') }} - {{ converted('from_amount', '1', 'multiplier') }} as amount
    from cumulated
),

final as (
    select
        ---------- ids
        counted.building_code,
        coalesce(counted.meter_id, '') as meter_id,
        counted.item_code,
        counted.published_as,
        cast(counted.year as integer) as year,
        cast(counted.month as integer) as month_number,
        counted.is_virtual,

        ---------- amount
        cast(counted.amount as decimal(18,4)) as counted_amount,
        counted.unit,
        counted.reported_amount,
        counted.reported_unit,
        cast(counted.n_readings as bigint) as n_readings,

        ---------- what one unit is worth
        equivalents.factor_id as equivalent_factor_id,
        equivalents.result_per_unit as equivalent_kgce_per_unit,
        primaries.factor_id as primary_factor_id,
        primaries.result_per_unit as primary_kgce_per_unit,
        coalesce(electricity_factors.factor_id, directs.factor_id) as emission_factor_id,
        coalesce(electricity_factors.tco2_per_kwh, directs.result_per_unit) as emission_tco2_per_unit
    from counted
    left join electricity_factors
        on counted.published_as = 'electricity_kwh'
        and counted.region_code = electricity_factors.region_code
        and counted.year = electricity_factors.year
    {%- for alias, purpose in [
        ('equivalents', 'standard_coal_equivalent'), ('primaries', 'standard_coal_primary'), ('directs', 'direct_emissions'),
    ] %}
    left join carrier_factors as {{ alias }}
        on counted.published_as in ('electricity_kwh', 'natural_gas_m3')
        and counted.year = {{ alias }}.year
        and counted.carrier = {{ alias }}.carrier
        and {{ alias }}.purpose = '{{ purpose }}'
    {%- endfor %}
)

select * from final
