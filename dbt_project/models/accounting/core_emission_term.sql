{#- Every amount that enters an institution's emissions, with the rows that it is multiplied with and the half-widths that the
    error of the amount itself gives it. Where the row of the base year is another than that of the year, the amount stands twice. -#}
with

builds as (
    select * from {{ ref('stg_control__build') }}
),

activities as not materialized (
    select * from {{ ref('core_activity') }}
),

carrier_factors as (
    select * from {{ ref('core_carrier_factor') }}
),

uncertainties as (
    select * from {{ ref('core_uncertainty') }}
),

emitting as not materialized (
    select
        *,
        coalesce(emission_factor_id = frozen_factor_id and emissions_tco2 = emissions_frozen_tco2, false)
            as is_as_in_base_year
    from activities
    where emissions_tco2 is not null
        and (is_in_energy_total or is_deducted)
),

bought as (
    select
        institution_id_scheme,
        institution_id,
        year,
        bool_or(emission_kind = 'direct') as has_direct,
        bool_or(emission_kind = 'electricity') as has_electricity,
        bool_or(emission_kind = 'heat') as has_heat
    from emitting
    where is_in_energy_total
    group by institution_id_scheme, institution_id, year
),

-- what is passed on to third parties is deducted; of an institution that bought nothing it deducts nothing
viewed as not materialized (
    select
        emitting.*,
        case when is_as_in_base_year then 'both' else 'moving' end as factor_view,
        year as factor_year,
        emission_factor_id as row_id,
        emissions_tco2 as size_of_tco2
    from emitting

    union all

    select
        emitting.*,
        'frozen',
        builds.base_year,
        emitting.frozen_factor_id,
        emitting.emissions_frozen_tco2
    from emitting
    cross join builds
    where not is_as_in_base_year
),

signed as (
    select
        viewed.* exclude (emissions_tco2),
        case when viewed.is_deducted then -viewed.size_of_tco2 else viewed.size_of_tco2 end as emissions_tco2,
        {{ size_tco2('viewed.size_of_tco2') }} as size_tco2,
        case viewed.emission_kind
            when 'direct' then bought.has_direct
            when 'electricity' then bought.has_electricity
            when 'heat' then bought.has_heat
        end as is_kind_counted
    from viewed
    inner join bought using (institution_id_scheme, institution_id, year)
),

chained as (
    select
        activities.*,
        -- the emission row first, then what stands between the unit of the amount and the unit of the row
        concat_ws(' x ', activities.row_id, carrier_factors.conversion_id, activities.conversion_id)
            as factor_chain,
        case when activities.emissions_tco2 >= 0 then uncertainties.minus_pct else uncertainties.plus_pct end as minus_pct,
        case when activities.emissions_tco2 >= 0 then uncertainties.plus_pct else uncertainties.minus_pct end as plus_pct
    from signed as activities
    left join carrier_factors
        on activities.factor_year = carrier_factors.year
        and activities.base_carrier = carrier_factors.carrier
        and activities.row_id = carrier_factors.factor_id
        and carrier_factors.purpose in ('direct_emissions', 'heat_emissions')
    left join uncertainties
        on uncertainties.subject_kind = 'activity'
        and case when activities.return_kind in ('metered', 'audited') then activities.return_kind else 'reported' end
            || ' ' || activities.base_carrier = uncertainties.subject_key
),

minus_halved as (
    select *, {{ half_width('size_tco2', 'minus_pct') }} as activity_minus_tco2 from chained
),

halved as (
    select *, {{ other_half('size_tco2', 'plus_pct', 'activity_minus_tco2', 'minus_pct') }} as activity_plus_tco2
    from minus_halved
),

final as (
    select
        ---------- ids
        institution_id_scheme,
        institution_id,
        year,
        carrier,

        ---------- texts
        factor_view,
        emission_kind,
        factor_chain,

        ---------- carbon
        emissions_tco2,
        {{ squared('activity_minus_tco2') }} as activity_minus_squared,
        {{ squared('activity_plus_tco2') }} as activity_plus_squared,

        ---------- booleans
        is_kind_counted,
        activity_minus_tco2 is not null and activity_plus_tco2 is not null as is_activity_known
    from halved
)

select * from final
