with

profile_factors as (
    select * from {{ source('control', 'profile_factors') }}
),

final as (
    select
        ---------- ids
        cast(year as integer) as year,
        purpose,
        factor_id
    from profile_factors
)

select * from final
