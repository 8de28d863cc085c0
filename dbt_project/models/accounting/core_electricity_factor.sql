{#- The row of the electricity factor table that stands for a region in a year: the ladder of definition 13. -#}
with

builds as (
    select * from {{ ref('stg_control__build') }}
),

regions as (
    select * from {{ ref('stg_control__regions') }}
),

paths as (
    select * from {{ ref('core_region_path') }}
),

stand_ins as (
    select * from {{ ref('stg_control__stand_ins') }}
),

factors as (
    select * from {{ ref('core_factor') }} where factor_kind = 'electricity'
),

grid_regions as (
    select * from {{ ref('grid_regions') }}
),

limits as (
    select * from {{ ref('method_limits') }}
),

years as (
    select year from {{ ref('core_institution') }}
    union
    select year from {{ ref('core_meter_month') }}
),

max_age as (
    select cast(limit_value as integer) as n_years
    from limits
    where limit_key = 'electricity_factor_max_age_years'
),

-- Known at the as-of date and of the family that the profile names. Families never mix.
known as (
    select factors.*
    from factors
    cross join builds
    where factors.factor_set = builds.electricity_family
        and factors.known_since <= builds.as_of
),

-- the grid and the nation of a province are known by the province's code, wherever it stands in the path
surroundings as (
    select
        paths.region_code,
        grid_regions.grid_region_code,
        grid_regions.nation_code
    from paths
    inner join grid_regions on paths.ancestor_code = grid_regions.province_code
),

steps as (
    -- 0: named by the profile for the year
    select
        regions.region_code,
        years.year,
        factors.factor_id,
        'profile' as factor_fallback,
        0 as step,
        0 as n_steps,
        factors.valid_year
    from regions
    cross join years
    inner join stand_ins on years.year = stand_ins.year and stand_ins.purpose = 'electricity'
    inner join factors on stand_ins.factor_id = factors.factor_id

    union all

    -- 1 and 2: the region's own, or that of the nearest region above it, of the year; else the latest earlier one.
    -- The nation's is a later step where a province lies between.
    select
        paths.region_code,
        years.year,
        known.factor_id,
        case when known.valid_year = years.year then 'year' else 'earlier_year' end,
        case when known.valid_year = years.year then 1 else 2 end,
        paths.n_steps,
        known.valid_year
    from paths
    cross join years
    inner join known on paths.ancestor_code = known.region_code
    left join surroundings on paths.region_code = surroundings.region_code
    where surroundings.nation_code is distinct from known.region_code

    union all

    -- 3: the grid region
    select
        surroundings.region_code,
        years.year,
        known.factor_id,
        'grid_region',
        3,
        0,
        known.valid_year
    from surroundings
    cross join years
    inner join known on surroundings.grid_region_code = known.region_code

    union all

    -- 4: the nation
    select
        surroundings.region_code,
        years.year,
        known.factor_id,
        'nation',
        4,
        0,
        known.valid_year
    from surroundings
    cross join years
    inner join known on surroundings.nation_code = known.region_code
),

-- never a later year's, never one older than the limit, unless the profile names it
allowed as (
    select
        steps.*,
        bool_or(steps.factor_fallback = 'year') over (partition by steps.region_code, steps.year)
            as is_own_year_known
    from steps
    cross join max_age
    where steps.step = 0
        or (steps.valid_year <= steps.year and steps.year - steps.valid_year <= max_age.n_years)
),

chosen as (
    select *
    from allowed
    qualify row_number() over (
        partition by region_code, year
        order by step, valid_year desc, n_steps, factor_id
    ) = 1
),

final as (
    select
        ---------- ids
        chosen.region_code,
        chosen.year,
        chosen.factor_id,

        ---------- texts
        chosen.factor_fallback,

        ---------- value
        cast(
            cast(factors.factor_value as decimal(19,8)) * factors.unit_multiplier as decimal(18,8)
        ) as tco2_per_kwh,

        ---------- booleans
        chosen.is_own_year_known
    from chosen
    inner join factors on chosen.factor_id = factors.factor_id
)

select * from final
