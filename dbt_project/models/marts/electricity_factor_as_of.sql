{#- Which electricity factor stood for a region and year, as seen from any day up to the as-of date. -#}
with

electricity_factors as (
    select * from {{ ref('core_electricity_factor') }}
),

final as (
    select
        ---------- ids
        region_code,
        year,
        known_from,
        known_until,
        factor_id,

        ---------- texts
        factor_fallback,

        ---------- value
        tco2_per_kwh,

        ---------- booleans
        is_own_year_known,
        is_in_force
    from electricity_factors
)

select * from final
