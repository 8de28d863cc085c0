{#- Every amount that enters an institution's emissions, with the rows that it is multiplied with and the half-widths that the
    error of the amount itself gives it. -#}
with

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
        activities.*,
        case when is_deducted then -emissions_tco2 else emissions_tco2 end as signed_tco2,
        {{ size_tco2('emissions_tco2') }} as size_tco2
    from activities
    where emissions_tco2 is not null
        and (is_in_energy_total or is_deducted)
),

bought as (
    select
        institution_id_scheme,
        institution_id,
        year,
        list(distinct emission_kind) as kinds
    from emitting
    where is_in_energy_total
    group by institution_id_scheme, institution_id, year
),

-- what is passed on to third parties is deducted; of an institution that bought nothing it deducts nothing
signed as (
    select
        emitting.* exclude (emissions_tco2, signed_tco2),
        emitting.signed_tco2 as emissions_tco2,
        list_contains(bought.kinds, emitting.emission_kind) as is_kind_counted
    from emitting
    inner join bought using (institution_id_scheme, institution_id, year)
),

chained as (
    select
        activities.*,
        -- the emission row first, then what stands between the unit of the amount and the unit of the row
        concat_ws(' x ', activities.emission_factor_id, carrier_factors.conversion_id, activities.conversion_id)
            as factor_chain,
        case when activities.emissions_tco2 >= 0 then uncertainties.minus_pct else uncertainties.plus_pct end as minus_pct,
        case when activities.emissions_tco2 >= 0 then uncertainties.plus_pct else uncertainties.minus_pct end as plus_pct
    from signed as activities
    left join carrier_factors
        on activities.year = carrier_factors.year
        and activities.base_carrier = carrier_factors.carrier
        and activities.emission_factor_id = carrier_factors.factor_id
        and carrier_factors.purpose in ('direct_emissions', 'heat_emissions')
    left join uncertainties
        on uncertainties.subject_kind = 'activity'
        and 'reported ' || activities.base_carrier = uncertainties.subject_key
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
