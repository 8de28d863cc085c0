{#- What a kilowatt-hour without a green document emits in the market-based view: the average that leaves out market-traded
    non-fossil power, which exists for the nation only. Of the year, else its latest earlier one, never older than the limit. -#}
with

builds as (
    select * from {{ ref('stg_control__build') }}
),

paths as (
    select * from {{ ref('core_region_path') }} where is_ancestor_group is not true
),

grid_regions as (
    select * from {{ ref('grid_regions') }}
),

stand_ins as (
    select * from {{ ref('stg_control__stand_ins') }} where purpose = 'electricity_market'
),

factors as (
    select * from {{ ref('core_factor') }} where factor_kind = 'electricity'
),

limits as (
    select * from {{ ref('method_limits') }}
),

years as (
    select distinct year from {{ ref('core_institution') }}
),

nations as (
    select distinct
        paths.region_code,
        grid_regions.nation_code
    from paths
    inner join grid_regions on paths.ancestor_code = grid_regions.province_code
),

steps as (
    select
        nations.region_code,
        years.year,
        factors.factor_id,
        factors.factor_value,
        factors.unit_multiplier,
        factors.last_valid_year,
        factors.known_since,
        factors.valid_from,
        case
            when stand_ins.factor_id is not null then 'profile'
            when {{ is_valid_for('factors', 'years.year') }} then 'year'
            else 'earlier_year'
        end as factor_fallback
    from nations
    cross join years
    cross join builds
    inner join limits on limits.limit_key = 'electricity_factor_max_age_years'
    inner join factors
        on factors.factor_set = builds.market_electricity_family
        and factors.region_code = nations.nation_code
    left join stand_ins on years.year = stand_ins.year and factors.factor_id = stand_ins.factor_id
    where stand_ins.factor_id is not null
        or (
            factors.known_since <= builds.as_of
            and factors.first_valid_year <= years.year
            and years.year - coalesce(factors.last_valid_year, years.year) <= cast(limits.limit_value as integer)
        )
),

final as (
    select
        ---------- ids
        region_code,
        cast(year as integer) as year,
        factor_id,

        ---------- texts
        factor_fallback,

        ---------- value
        cast(cast(factor_value as decimal(19,8)) * unit_multiplier as decimal(18,8)) as tco2_per_kwh
    from steps
    qualify row_number() over (
        partition by region_code, year
        order by
            factor_fallback = 'profile' desc, factor_fallback = 'year' desc, last_valid_year desc nulls first,
            valid_from desc nulls last, known_since desc, factor_id
    ) = 1
)

select * from final
