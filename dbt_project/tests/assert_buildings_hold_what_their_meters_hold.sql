with

meters as (
    select
        meters.year,
        sum(meters.amount) filter (where items.published_as = 'electricity_kwh') as electricity_kwh,
        sum(meters.amount) filter (where items.published_as = 'natural_gas_m3') as natural_gas_m3,
        sum(meters.amount) filter (where items.published_as = 'water_m3') as water_m3
    from {{ ref('core_meter_year') }} as meters
    inner join {{ ref('metering_items') }} as items on meters.item_code = items.item_code
    where meters.is_counted_in_building
    group by meters.year
),

buildings as (
    select
        year,
        sum(electricity_kwh) as electricity_kwh,
        sum(natural_gas_m3) as natural_gas_m3,
        sum(water_m3) as water_m3
    from {{ ref('building_year') }}
    group by year
)

select *
from meters
full join buildings on meters.year = buildings.year
where meters.electricity_kwh is distinct from buildings.electricity_kwh
    or meters.natural_gas_m3 is distinct from buildings.natural_gas_m3
    or meters.water_m3 is distinct from buildings.water_m3
