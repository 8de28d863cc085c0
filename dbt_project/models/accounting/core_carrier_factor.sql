{#- Which row of which table a carrier takes in a year, and what one unit of the carrier is worth in it.
    Electricity's emissions are not here: they depend on the region (core_electricity_factor). -#}
with

builds as (
    select * from {{ ref('stg_control__build') }}
),

carriers as (
    select * from {{ ref('carriers') }}
),

factors as (
    select * from {{ ref('core_factor') }}
),

carrier_factors as (
    select * from {{ ref('carrier_factors') }}
),

years as (
    select year from {{ ref('core_institution') }}
    union
    select year from {{ ref('core_meter_month') }}
),

-- the rows that the profile names: by set, by series, or one by one
named as (
    select
        carrier_factors.carrier,
        unnest(['standard_coal_equivalent', 'standard_coal_primary']) as purpose,
        carrier_factors.factor_id
    from carrier_factors
    inner join builds on carrier_factors.factor_set = builds.coal_set
    where carrier_factors.purpose = 'standard_coal'

    union all

    select
        carrier_factors.carrier,
        'direct_emissions',
        carrier_factors.factor_id
    from carrier_factors
    inner join builds on carrier_factors.factor_set = builds.fuel_set
    where carrier_factors.purpose = 'direct_emissions'

    union all

    select
        factors.carrier,
        unnest(['standard_coal_equivalent', 'standard_coal_primary']),
        factors.factor_id
    from factors
    inner join builds on factors.factor_id = builds.gas_coal_factor

    union all

    select factors.carrier, 'standard_coal_equivalent', factors.factor_id
    from factors
    inner join builds on factors.factor_id = builds.electricity_equivalent_factor

    union all

    select factors.carrier, 'heat_emissions', factors.factor_id
    from factors
    inner join builds on factors.factor_id = builds.heat_factor
),

-- a series takes the row of the year, else its latest earlier one, never interpolated; one row stands for all years
electricity_primary as (
    select
        years.year,
        factors.carrier,
        'standard_coal_primary' as purpose,
        factors.factor_id
    from years
    cross join builds
    inner join factors
        on factors.factor_kind = 'standard_coal'
        and (
            factors.factor_id = builds.electricity_primary_series
            or (factors.series = builds.electricity_primary_series and factors.valid_year <= years.year)
        )
    qualify row_number() over (partition by years.year order by factors.valid_year desc, factors.factor_id) = 1
),

of_years as (
    select years.year, named.carrier, named.purpose, named.factor_id
    from named
    cross join years

    union all

    select year, carrier, purpose, factor_id from electricity_primary
),

-- a carrier kept in litres whose coefficient is per kilogram needs its density, coal in tonnes its thousand
chained as (
    select
        of_years.*,
        factors.factor_kind,
        factors.factor_value,
        factors.unit_multiplier,
        conversions.factor_id as conversion_id,
        case
            when factors.amount_unit = carriers.canonical_unit then cast(1 as decimal(18,8))
            else conversions.factor_value
        end as carrier_multiplier
    from of_years
    inner join carriers on of_years.carrier = carriers.carrier
    inner join factors on of_years.factor_id = factors.factor_id
    left join factors as conversions
        on conversions.factor_id
            = 'CV-' || of_years.carrier || '-' || carriers.canonical_unit || '-' || factors.amount_unit
        and factors.amount_unit <> carriers.canonical_unit
),

final as (
    select
        ---------- ids
        cast(year as integer) as year,
        carrier,
        purpose,
        factor_id,
        conversion_id,

        ---------- value: tCO2 or kgce per unit of the carrier
        cast(
            cast(factor_value as decimal(19,8)) * unit_multiplier * carrier_multiplier as decimal(18,8)
        ) as result_per_unit,

        ---------- booleans
        cast(factor_value as decimal(19,8)) * unit_multiplier * carrier_multiplier
            <> cast(cast(factor_value as decimal(19,8)) * unit_multiplier * carrier_multiplier as decimal(18,8))
            as has_lost_digits
    from chained
)

select * from final
