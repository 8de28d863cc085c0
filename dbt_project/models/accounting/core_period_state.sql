{#- Why a year is still provisional (definition 18). Final only after a sign-off: a line of frozen.yml. -#}
with

builds as (
    select * from {{ ref('stg_control__build') }}
),

institutions as (
    select * from {{ ref('core_institution') }}
),

register as (
    select * from {{ ref('core_institution_register') }}
),

electricity_factors as (
    select * from {{ ref('core_electricity_factor') }} where is_in_force
),

windows as (
    select * from {{ ref('stg_control__windows') }}
),

frozen_years as (
    select * from {{ source('control', 'frozen_years') }}
),

limits as (
    select * from {{ ref('method_limits') }}
),

years as (
    select distinct year from institutions
),

registered as (
    select
        years.year,
        register.institution_id_scheme,
        register.institution_id
    from years
    inner join register
        on not register.is_superseded
        and coalesce(register.valid_from, date '0001-01-01') <= make_date(years.year, 12, 31)
        and coalesce(register.valid_to, date '9999-12-31') >= make_date(years.year, 12, 31)
    group by all
),

coverage as (
    select
        registered.year,
        count(*) as n_registered,
        count(institutions.institution_id) as n_registered_reporting
    from registered
    left join institutions using (institution_id_scheme, institution_id, year)
    group by all
),

open_windows as (
    select distinct cast(windows.year as integer) as year
    from windows
    cross join builds
    where windows.closes_on > builds.as_of
),

-- one missing own factor makes the whole year provisional: the publishing authority has one state per year
grid_factors as (
    select
        institutions.year,
        bool_and(coalesce(electricity_factors.is_own_year_known, false)) as is_known
    from (select distinct region_code, year from institutions) as institutions
    left join electricity_factors using (region_code, year)
    group by all
),

reasons as (
    select
        years.year,
        case
            when not grid_factors.is_known then 'grid_factor_unknown'
            when open_windows.year is not null then 'window_open'
            when coalesce(coverage.n_registered_reporting, 0)
                < coalesce(coverage.n_registered, 0) * cast(limits.limit_value as decimal(18,8))
                or coverage.n_registered is null then 'register_coverage'
            when frozen_years.frozen_on <= builds.as_of then null
            else 'not_signed_off'
        end as period_state_reason,
        coalesce(coverage.n_registered, 0) as n_registered,
        coalesce(coverage.n_registered_reporting, 0) as n_registered_reporting
    from years
    inner join limits on limits.limit_key = 'register_coverage_min_share'
    left join grid_factors on years.year = grid_factors.year
    left join open_windows on years.year = open_windows.year
    left join coverage on years.year = coverage.year
    left join frozen_years on years.year = frozen_years.year
    cross join builds
),

final as (
    select
        ---------- ids
        year,

        ---------- texts
        case when period_state_reason is null then 'final' else 'provisional' end as period_state,
        period_state_reason,

        ---------- counts
        n_registered,
        n_registered_reporting
    from reasons
)

select * from final
