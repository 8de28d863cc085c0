with

landed as (
    select * from {{ source('registers', 'registers__meters') }}
),

files as (
    select * from {{ ref('stg_control__files') }}
),

final as (
    select
        ---------- ids
        landed.file_id,
        landed.building_code,
        landed.meter_id,
        landed.item_code,
        landed.parent_meter_id,
        landed.institution_id,

        ---------- place
        files.path,
        landed.sheet,
        landed.row_number,

        ---------- texts
        landed.meter_name,
        landed.meter_kind,
        landed.meter_level,
        landed.snapshot_scope,

        ---------- amounts
        -- what this meter counts is added to its parent unless the register takes it off
        case when landed.parent_meter_id is not null then coalesce(landed.sign, 1) end as sign,
        try_cast(landed.multiplier as decimal(18,6)) as multiplier,
        landed.register_digits,

        ---------- dates
        landed.valid_from,
        landed.valid_to,
        landed.as_of,

        ---------- booleans
        {{ has_lost_digits('landed.multiplier', '1') }} as has_lost_digits
    from landed
    inner join files on landed.file_id = files.file_id
)

select * from final
