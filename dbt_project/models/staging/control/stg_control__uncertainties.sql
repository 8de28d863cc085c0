with

profile_uncertainties as (
    select * from {{ source('control', 'profile_uncertainties') }}
),

final as (
    select
        ---------- ids
        uncertainty_id,
        factor_id,

        ---------- texts
        distribution,

        ---------- half-widths
        cast(minus_pct as decimal(18,8)) as minus_pct,
        cast(plus_pct as decimal(18,8)) as plus_pct
    from profile_uncertainties
)

select * from final
