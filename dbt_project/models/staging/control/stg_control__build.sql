with

builds as (
    select * from {{ source('control', 'build') }}
),

profile as (
    select * from {{ source('control', 'profile') }}
),

-- one row: what the night is about, and every scalar of the region profile as a column
scalars as (
    select
        max(value) filter (where key = 'region_code') as region_code,
        max(value) filter (where key = 'coal_basis') as coal_basis,
        max(value) filter (where key = 'coal_set') as coal_set,
        max(value) filter (where key = 'electricity_primary_series') as electricity_primary_series,
        max(value) filter (where key = 'electricity_equivalent_factor') as electricity_equivalent_factor,
        max(value) filter (where key = 'gas_coal_factor') as gas_coal_factor,
        max(value) filter (where key = 'fuel_set') as fuel_set,
        max(value) filter (where key = 'heat_factor') as heat_factor,
        max(value) filter (where key = 'electricity_family') as electricity_family,
        max(value) filter (where key = 'gwp_edition') as gwp_edition,
        max(value) filter (where key = 'accounting_method') as accounting_method,
        max(value) filter (where key = 'market_electricity_family') as market_electricity_family,
        string_split(max(value) filter (where key = 'inventory_sets'), ', ') as inventory_sets,
        cast(max(value) filter (where key = 'base_year') as integer) as base_year,
        cast(max(value) filter (where key = 'annual_month_tolerance_share') as decimal(18,8)) as annual_month_tolerance_share
    from profile
),

final as (
    select
        ---------- ids
        builds.build_id,
        builds.profile_id,
        scalars.region_code,

        ---------- method
        scalars.* exclude (region_code),

        ---------- dates
        builds.as_of
    from builds
    cross join scalars
)

select * from final
