{#- Which row of which table a carrier takes in a year, and what one unit of the carrier is worth in it.
    Electricity's emissions are not here: they depend on the region (core_electricity_factor). -#}
{%- set chain = 'cast(factor_value as decimal(19,12)) * unit_multiplier * carrier_multiplier' %}

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

years as (
    select year from {{ ref('core_institution') }}
    union
    select year from {{ ref('core_meter_month') }}
    -- the year whose factors are frozen, whatever years there are returns of
    union
    select base_year from {{ ref('stg_control__build') }}
),

-- rows that the profile names one by one
named as (
    select
        factors.carrier,
        unnest(['standard_coal_equivalent', 'standard_coal_primary']) as purpose,
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

-- rows of the sets that it names: every carrier that none of the above is about takes its row of the set
of_sets as (
    select carriers.carrier, 'standard_coal' as purpose, factors.factor_id, factors.known_since, factors.valid_from
    from carriers
    cross join builds
    inner join factors
        on factors.factor_kind = 'standard_coal'
        and factors.factor_set = builds.coal_set
        and factors.carrier = carriers.carrier
    anti join named on carriers.carrier = named.carrier and named.purpose = 'standard_coal_equivalent'
    where carriers.is_in_energy_total and factors.parameter = 'per_unit'

    union all

    select carriers.carrier, 'direct_emissions', factors.factor_id, factors.known_since, factors.valid_from
    from carriers
    cross join builds
    inner join factors
        on factors.factor_kind = 'fuel'
        and factors.factor_set = builds.fuel_set
        and factors.carrier = carriers.factor_carrier
    where carriers.is_in_energy_total
        and factors.parameter = 'per_unit'
        and factors.gas = 'CO2'
        and factors.series is null
),

-- a set stands for all years: of rows in succession the one in force in the year, else the first; of revisions the newest known
standing as (
    select years.year, of_sets.carrier, of_sets.purpose, of_sets.factor_id
    from of_sets
    cross join years
    cross join builds
    qualify row_number() over (
        partition by years.year, of_sets.carrier, of_sets.purpose
        order by
            of_sets.known_since <= builds.as_of desc,
            year(of_sets.valid_from) <= years.year desc,
            case when year(of_sets.valid_from) <= years.year then of_sets.valid_from end desc nulls last,
            of_sets.valid_from, of_sets.known_since desc, of_sets.factor_id
    ) = 1
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
    qualify row_number() over (
        partition by years.year
        order by
            factors.valid_year desc nulls last, factors.known_since <= builds.as_of desc, factors.known_since desc,
            factors.factor_id
    ) = 1
),

of_years as (
    select years.year, named.carrier, named.purpose, named.factor_id
    from named
    cross join years

    union all

    select
        year,
        carrier,
        unnest(
            case
                when purpose = 'standard_coal' then ['standard_coal_equivalent', 'standard_coal_primary'] else [purpose]
            end
        ),
        factor_id
    from standing

    union all

    select year, carrier, purpose, factor_id from electricity_primary
),

-- a carrier kept in litres whose coefficient is per kilogram needs its density, coal in tonnes its thousand
chained as (
    select
        of_years.*,
        factors.factor_origin,
        coalesce(factors.computed_value, factors.factor_value) as factor_value,
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
        cast({{ chain }} as decimal(18,8)) as result_per_unit,

        ---------- booleans: a computed factor is rounded as definition 19 says, a stated one never
        factor_origin <> 'computed' and {{ chain }} <> cast({{ chain }} as decimal(18,8)) as has_lost_digits
    from chained
    -- without a way from the unit of the carrier to that of the factor there is no factor
    where carrier_multiplier is not null
)

select * from final
