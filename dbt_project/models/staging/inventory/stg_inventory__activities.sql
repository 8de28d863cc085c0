with

landed as (
    select * from {{ source('inventory', 'inventory__activities') }}
),

files as (
    select * from {{ ref('stg_control__files') }}
),

units as (
    select * from {{ ref('unit_conversions') }}
),

final as (
    select
        ---------- ids
        landed.file_id,
        landed.region_code,
        landed.year,
        landed.activity_category,
        {{ plain_word('landed.subject') }} as subject_word,

        ---------- place
        files.path,
        landed.sheet,
        landed.row_number,

        ---------- texts
        landed.subject as subject_text,
        landed.amount_text as value_text,
        landed.amount_unit as unit_text,
        landed.activity_source,

        ---------- amounts
        {{ converted('try_cast(landed.amount_text as decimal(18,6))', 'units.multiplier') }} as amount,
        units.canonical_unit as unit,
        try_cast(landed.uncertainty_text as decimal(18,8)) as uncertainty_pct,

        ---------- which of several statements is the newest
        coalesce(landed.release_number, 0) as release_number,
        files.received_on,

        ---------- booleans
        {{ has_lost_digits('landed.amount_text', 'coalesce(units.multiplier, 1)') }} as has_lost_digits
    from landed
    inner join files on landed.file_id = files.file_id
    left join units on landed.amount_unit = units.unit_text
)

select * from final
