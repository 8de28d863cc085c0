{#- Every month of an institution's year that had ended at the as-of date: whether its return and its meters are there, and
    whether it is still provisional. It depends on what came, never on the order in which it came. -#}
with

builds as (
    select * from {{ ref('stg_control__build') }}
),

institutions as (
    select * from {{ ref('core_institution') }}
),

records as (
    select * from {{ ref('core_direct_report_records') }}
    where form_role = 'return' and record_state in ('used', 'held')
),

sources as (
    select * from {{ ref('core_source_amount') }} where metered_amount is not null
),

period_states as (
    select * from {{ ref('core_period_state') }}
),

windows as (
    select * from {{ ref('stg_control__windows') }}
),

silence_windows as (
    select * from {{ source('control', 'profile_silence_windows') }}
),

months as (
    select
        institutions.institution_id_scheme,
        institutions.institution_id,
        institutions.year,
        periods.month,
        last_day(make_date(institutions.year, cast(periods.month as integer), 1)) as ends_on
    from institutions
    cross join range(1, 13) as periods (month)
    cross join builds
    where ends_on < builds.as_of
),

-- a record covers its month, its quarter or its year
covered as (
    select
        institution_id_scheme,
        institution_id,
        year,
        unnest(case period_kind
            when 'year' then range(1, 13)
            when 'quarter' then range(period_index * 3 - 2, period_index * 3 + 1)
            else [period_index]
        end) as month,
        record_state,
        period_kind
    from records
),

returned as (
    select
        institution_id_scheme,
        institution_id,
        year,
        month,
        case
            when bool_or(record_state = 'used' and period_kind = 'year') then 'annual'
            when bool_or(record_state = 'used' and period_kind = 'month') then 'monthly'
            when bool_or(record_state = 'used') then 'quarterly'
            else 'held'
        end as return_state
    from covered
    group by institution_id_scheme, institution_id, year, month
),

-- meters: how many buildings, over all carriers, have an amount of the month, of those that have one of the year
metered_years as (
    select institution_id_scheme, institution_id, year, sum(n_metered_buildings) as n_expected
    from sources
    where period_kind = 'year'
    group by institution_id_scheme, institution_id, year
),

metered_months as (
    select institution_id_scheme, institution_id, year, period_index as month, sum(n_metered_buildings) as n_read
    from sources
    where period_kind = 'month'
    group by institution_id_scheme, institution_id, year, period_index
),

closing as (
    select
        months.*,
        coalesce(
            months.ends_on + cast(returns.days as integer), return_windows.closes_on
        ) as return_closes_on,
        coalesce(months.ends_on + cast(meters.days as integer), meter_windows.closes_on) as meters_close_on
    from months
    left join silence_windows as returns on returns.source = 'direct_report'
    left join silence_windows as meters on meters.source = 'metering'
    left join windows as return_windows
        on return_windows.source = 'direct_report' and months.year = return_windows.year
    left join windows as meter_windows
        on meter_windows.source = 'metering' and months.year = meter_windows.year
),

states as (
    select
        closing.*,
        case
            when returned.return_state is not null then returned.return_state
            when closing.return_closes_on >= builds.as_of then 'awaited'
            else 'missing'
        end as return_state,
        case
            when metered_years.n_expected is null then null
            when metered_months.n_read >= metered_years.n_expected then 'read'
            when metered_months.n_read > 0 then 'partly_read'
            when closing.meters_close_on >= builds.as_of then 'awaited'
            else 'missing'
        end as meter_state
    from closing
    cross join builds
    left join returned using (institution_id_scheme, institution_id, year, month)
    left join metered_years using (institution_id_scheme, institution_id, year)
    left join metered_months using (institution_id_scheme, institution_id, year, month)
),

final as (
    select
        ---------- ids
        institutions.region_code,
        states.institution_id_scheme,
        states.institution_id,
        institutions.institution_name,

        ---------- period
        states.year,
        cast(states.month as integer) as month,

        ---------- what is there
        states.return_state,
        states.return_closes_on,
        states.meter_state,

        ---------- what that makes of it
        case
            when period_states.period_state = 'final' and states.return_state <> 'awaited' then 'final'
            else 'provisional'
        end as period_state,
        case
            when states.return_state in ('awaited', 'missing', 'held') then 'return_' || states.return_state
            when states.meter_state in ('awaited', 'missing') then 'meters_' || states.meter_state
            else period_states.period_state_reason
        end as period_state_reason
    from states
    inner join institutions using (institution_id_scheme, institution_id, year)
    inner join period_states on states.year = period_states.year
)

select * from final
