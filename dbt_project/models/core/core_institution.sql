with

builds as (
    select * from {{ ref('stg_control__build') }}
),

records as (
    select * from {{ ref('core_direct_report_records') }}
),

reported as (
    select * from {{ ref('stg_direct_report__values') }}
),

amounts as (
    select * from {{ ref('core_reported_amount') }}
),

register as (
    select * from {{ ref('core_institution_register') }}
),

described as (
    select * from {{ ref('stg_direct_report__institutions') }}
),

quarantined as (
    select * from {{ ref('stg_control__quarantined') }}
),

used as (
    select * from records where record_state = 'used' and form_role = 'return'
),

-- the population of a year: every institution with an approved return
months_of_returns as (
    select
        institution_id_scheme,
        institution_id,
        year,
        unnest(case period_kind
            when 'year' then [0]
            when 'quarter' then [period_index * 3 - 2, period_index * 3 - 1, period_index * 3]
            else [period_index]
        end) as month
    from used
),

returns as (
    select
        institution_id_scheme,
        institution_id,
        year,
        bool_or(period_kind = 'year') as has_annual_return,
        bool_and(period_kind = 'quarter') as is_quarterly,
        arg_min(
            struct_pack(f := file_id, p := path, s := sheet, r := row_number),
            (period_kind <> 'year', -period_index, path, sheet, row_number)
        ) as best_return
    from used
    group by all
),

n_months as (
    select
        institution_id_scheme,
        institution_id,
        year,
        count(distinct month) filter (where month > 0) as n_months_covered
    from months_of_returns
    group by all
),

attributes_of_returns as (
    select
        file_id,
        sheet,
        row_number,
        institution_id_scheme,
        institution_id,
        year,
        min(institution_name) as institution_name,
        min(region_code) as region_code,
        min(institution_type_code) as institution_type_code,
        min(year_starts_on) as year_starts_on
    from reported
    group by all
),

-- valid on 31 December
registered as (
    select
        returns.institution_id_scheme,
        returns.institution_id,
        returns.year,
        register.institution_name,
        register.institution_type_code,
        register.region_code,
        register.floor_area_m2,
        register.energy_users_persons,
        register.file_id,
        register.path,
        register.row_number
    from returns
    inner join register
        on returns.institution_id_scheme is not distinct from register.institution_id_scheme
        and returns.institution_id = register.institution_id
        and not register.is_superseded
        and coalesce(register.valid_from, date '0001-01-01') <= make_date(returns.year, 12, 31)
        and coalesce(register.valid_to, date '9999-12-31') >= make_date(returns.year, 12, 31)
    qualify row_number() over (
        partition by returns.institution_id_scheme, returns.institution_id, returns.year
        order by register.valid_from, register.path, register.row_number
    ) = 1
),

-- the basic form of the same year; else of the latest other year
basic_forms as (
    select
        returns.institution_id_scheme,
        returns.institution_id,
        returns.year,
        described.institution_name,
        described.institution_type_code,
        described.region_code
    from returns
    inner join described
        on returns.institution_id_scheme is not distinct from described.institution_id_scheme
        and returns.institution_id = described.institution_id
    qualify row_number() over (
        partition by returns.institution_id_scheme, returns.institution_id, returns.year
        order by described.year = returns.year desc, described.year desc, described.path, described.row_number
    ) = 1
),

stocks as (
    select
        institution_id_scheme,
        institution_id,
        year,
        max(amount) filter (where measure = 'area' and carrier = 'floor_area') as floor_area_m2,
        max(amount) filter (where measure = 'persons' and carrier = 'energy_users') as energy_users_persons
    from amounts
    group by all
),

-- the first day after each merger, and each split, of everyone whom it took from or gave to
boundary_days as (
    select
        institution_id_scheme,
        institution_id,
        list(boundary_on) as days
    from (
        select institution_id_scheme, unnest([institution_id, merged_into_id]) as institution_id, valid_to + 1 as boundary_on
        from register
        where not is_superseded and merged_into_id is not null
        union all
        select institution_id_scheme, unnest([institution_id, split_from_id]), valid_from
        from register
        where not is_superseded and split_from_id is not null
    )
    where boundary_on is not null
    group by institution_id_scheme, institution_id
),

refused_values as (
    select
        institution_id,
        year,
        count(*) as n_quarantined_values
    from quarantined
    where item_code is not null
    group by all
),

final as (
    select
        ---------- ids
        returns.institution_id_scheme,
        returns.institution_id,
        cast(returns.year as integer) as year,

        ---------- texts: the register knows best, then the basic form, then the return. Who is nowhere said to lie
        -- has still reported to this authority: a provisional row lies in its root region
        coalesce(
            registered.region_code, basic_forms.region_code, attributes.region_code, builds.region_code
        ) as region_code,
        coalesce(registered.institution_name, basic_forms.institution_name, attributes.institution_name)
            as institution_name,
        coalesce(
            registered.institution_type_code, basic_forms.institution_type_code, attributes.institution_type_code
        ) as institution_type_code,
        case
            when returns.has_annual_return then 'annual'
            when returns.is_quarterly then 'quarters'
            else 'months'
        end as return_kind,

        ---------- amounts
        coalesce(stocks.floor_area_m2, registered.floor_area_m2) as floor_area_m2,
        coalesce(stocks.energy_users_persons, registered.energy_users_persons) as energy_users_persons,

        ---------- counts
        cast(case when returns.has_annual_return then 12 else n_months.n_months_covered end as integer)
            as months_reported,
        coalesce(refused_values.n_quarantined_values, 0) as n_quarantined_values,

        ---------- dates
        cast(cast(returns.year as varchar) || '-' || coalesce(attributes.year_starts_on, '01-01') as date)
            as year_starts_on,
        list_max(list_filter(
            boundary_days.days,
            lambda day : day < cast(
                cast(returns.year + 1 as varchar) || '-' || coalesce(attributes.year_starts_on, '01-01') as date
            )
        )) as boundary_changed_on,

        ---------- booleans
        registered.institution_id is not null as is_registered,

        ---------- place of the annual return, else of the last part
        returns.best_return.f as file_id,
        returns.best_return.p as path,
        returns.best_return.s as sheet,
        returns.best_return.r as row_number,

        ---------- place of the register's line
        registered.file_id as register_file_id,
        registered.path as register_path,
        registered.row_number as register_row_number
    from returns
    cross join builds
    inner join n_months using (institution_id_scheme, institution_id, year)
    left join attributes_of_returns as attributes
        on returns.best_return.f = attributes.file_id
        and returns.best_return.s is not distinct from attributes.sheet
        and returns.best_return.r = attributes.row_number
        and returns.institution_id_scheme is not distinct from attributes.institution_id_scheme
        and returns.institution_id = attributes.institution_id
        and returns.year = attributes.year
    left join registered using (institution_id_scheme, institution_id, year)
    left join basic_forms using (institution_id_scheme, institution_id, year)
    left join stocks using (institution_id_scheme, institution_id, year)
    left join boundary_days using (institution_id_scheme, institution_id)
    left join refused_values
        on returns.institution_id = refused_values.institution_id
        and returns.year = refused_values.year
)

select * from final
