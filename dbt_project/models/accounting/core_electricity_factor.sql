{#- The electricity factor that stands for a region in a year, and since which day it did: the ladder of definition 13, asked
    again for every day on which a row of the family became known. What the build uses is what is in force at its as-of date. -#}
with

builds as (
    select * from {{ ref('stg_control__build') }}
),

regions as (
    select * from {{ ref('stg_control__regions') }} where region_level is distinct from 'group'
),

paths as (
    select * from {{ ref('core_region_path') }} where is_ancestor_group is not true
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
    union
    select year from {{ ref('stg_inventory__activities') }}
    -- the year whose factors are frozen, whatever years there are returns of
    union
    select base_year from {{ ref('stg_control__build') }}
),

max_age as (
    select cast(limit_value as integer) as n_years
    from limits
    where limit_key = 'electricity_factor_max_age_years'
),

-- Of the family that the profile names, public by the as-of date. Families never mix.
known as (
    select factors.*
    from factors
    cross join builds
    where factors.factor_set = builds.electricity_family
        and factors.known_since <= builds.as_of
),

days as (
    select known_since as known_from from known
    union
    select as_of from builds
),

-- The grid and the nation of a province are known by the province's code, wherever it stands in the path. Grids were cut
-- anew: of a year the one in which the province lay on 31 December.
surroundings as (
    select
        paths.region_code,
        years.year,
        grid_regions.grid_region_code,
        grid_regions.nation_code
    from paths
    inner join grid_regions on paths.ancestor_code = grid_regions.province_code
    inner join years
        on coalesce(grid_regions.valid_from <= make_date(years.year, 12, 31), true)
        and coalesce(grid_regions.valid_until >= make_date(years.year, 12, 31), true)
),

steps as (
    -- 0: named by the profile for the year, whenever it became known
    select
        regions.region_code,
        years.year,
        factors.factor_id,
        true as is_named,
        0 as step,
        0 as n_steps
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
        false,
        case when {{ is_valid_for('known', 'years.year') }} then 1 else 2 end,
        paths.n_steps
    from paths
    cross join years
    inner join known on paths.ancestor_code = known.region_code
    left join surroundings
        on paths.region_code = surroundings.region_code
        and years.year = surroundings.year
    where surroundings.nation_code is distinct from known.region_code

    union all

    -- 3: the grid region, 4: the nation
    select
        surroundings.region_code,
        surroundings.year,
        known.factor_id,
        false,
        case when surroundings.grid_region_code = known.region_code then 3 else 4 end,
        0
    from surroundings
    inner join known on known.region_code in (surroundings.grid_region_code, surroundings.nation_code)
),

-- never a later year's, never one older than the limit, unless the profile names it
allowed as (
    select
        steps.*,
        factors.known_since,
        factors.valid_from,
        least(coalesce(factors.last_valid_year, steps.year), steps.year) as valid_for_year
    from steps
    inner join factors on steps.factor_id = factors.factor_id
    cross join max_age
    where steps.is_named
        or (
            factors.first_valid_year <= steps.year
            and steps.year - coalesce(factors.last_valid_year, steps.year) <= max_age.n_years
        )
),

-- of a value that was revised the newest counts, of values in succession the one that began last
chosen as (
    select
        allowed.*,
        days.known_from,
        bool_or(allowed.step = 1) over (partition by allowed.region_code, allowed.year, days.known_from)
            as is_own_year_known
    from allowed
    inner join days on allowed.is_named or allowed.known_since <= days.known_from
    qualify row_number() over (
        partition by allowed.region_code, allowed.year, days.known_from
        order by
            allowed.step, allowed.valid_for_year desc, allowed.n_steps, allowed.valid_from desc nulls last,
            allowed.known_since desc, allowed.factor_id
    ) = 1
),

-- a day on which nothing changed begins no span
spans as (
    select *
    from chosen
    window by_day as (partition by region_code, year order by known_from)
    qualify lag(factor_id) over by_day is distinct from factor_id
        or lag(is_own_year_known) over by_day is distinct from is_own_year_known
),

final as (
    select
        ---------- ids
        spans.region_code,
        spans.year,
        spans.known_from,
        lead(spans.known_from) over (partition by spans.region_code, spans.year order by spans.known_from)
            as known_until,
        spans.factor_id,

        ---------- texts
        case spans.step
            when 0 then 'profile'
            when 1 then 'year'
            when 2 then 'earlier_year'
            when 3 then 'grid_region'
            else 'nation'
        end as factor_fallback,

        ---------- value
        cast(
            cast(factors.factor_value as decimal(19,8)) * factors.unit_multiplier as decimal(18,8)
        ) as tco2_per_kwh,

        ---------- booleans
        spans.is_own_year_known,
        row_number() over (partition by spans.region_code, spans.year order by spans.known_from desc) = 1 as is_in_force
    from spans
    inner join factors on spans.factor_id = factors.factor_id
)

select * from final
