{#- Months that an institution did not report though it reports by month: the whole return, or one carrier in a
    return that is there. Months that had not ended at the as-of date are not missing. -#}
with

builds as (
    select * from {{ ref('stg_control__build') }}
),

used as (
    select *
    from {{ ref('core_direct_report_cells') }}
    where cell_state = 'used' and form_role = 'return' and period_kind = 'month'
),

institutions as (
    select * from {{ ref('core_institution') }}
),

carriers as (
    select * from {{ ref('carriers') }}
),

returns as (
    select
        institution_id_scheme,
        institution_id,
        year,
        period_index as month,
        min(struct_pack(p := path, s := sheet, r := row_number, f := file_id)) as place
    from used
    group by all
),

carrier_months as (
    select distinct
        used.institution_id_scheme,
        used.institution_id,
        used.year,
        used.period_index as month,
        used.carrier
    from used
    inner join carriers on used.carrier = carriers.carrier
    where used.measure = 'amount' and used.amount is not null
),

calendar as (
    select
        spans.*,
        unnest(range(1, 13)) as month
    from (
        select
            institution_id_scheme,
            institution_id,
            year,
            count(*) as n_months_present,
            max(place) as last_place
        from returns
        group by all
    ) as spans
),

whole_months as (
    select
        calendar.*,
        cast(null as varchar) as carrier,
        true as is_return_missing
    from calendar
    anti join returns using (institution_id_scheme, institution_id, year, month)
),

spans_of_carriers as (
    select
        institution_id_scheme,
        institution_id,
        year,
        carrier,
        count(*) as n_months_present
    from carrier_months
    group by all
),

single_values as (
    select
        returns.institution_id_scheme,
        returns.institution_id,
        returns.year,
        spans_of_carriers.n_months_present,
        returns.place as last_place,
        returns.month,
        spans_of_carriers.carrier,
        false as is_return_missing
    from returns
    inner join spans_of_carriers using (institution_id_scheme, institution_id, year)
    anti join carrier_months
        on returns.institution_id_scheme = carrier_months.institution_id_scheme
        and returns.institution_id = carrier_months.institution_id
        and returns.year = carrier_months.year
        and returns.month = carrier_months.month
        and spans_of_carriers.carrier = carrier_months.carrier
),

united as (
    select * from whole_months
    union all by name
    select * from single_values
),

final as (
    select
        ---------- ids
        united.institution_id_scheme,
        united.institution_id,
        united.year,
        cast(united.month as integer) as month,
        united.carrier,

        ---------- texts
        institutions.institution_name,

        ---------- counts
        united.n_months_present,

        ---------- booleans
        united.is_return_missing,
        institutions.return_kind = 'annual' as has_annual_return,

        ---------- place: the return that lacks the value, else the institution's last return of the year
        united.last_place.f as file_id,
        united.last_place.p as path,
        united.last_place.s as sheet,
        united.last_place.r as row_number
    from united
    cross join builds
    inner join institutions using (institution_id_scheme, institution_id, year)
    where last_day(make_date(united.year, cast(united.month as integer), 1)) < builds.as_of
)

select * from final
