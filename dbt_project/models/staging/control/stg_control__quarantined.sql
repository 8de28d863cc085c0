with

quarantine as (
    select * from {{ source('control', 'quarantine') }}
),

final as (
    select
        ---------- ids
        file_id,
        institution_id,
        item_code,

        ---------- texts
        unit as counted_unit,
        reason_code,

        ---------- dates
        try_cast(left(period, 4) as integer) as year
    from quarantine
)

select * from final
