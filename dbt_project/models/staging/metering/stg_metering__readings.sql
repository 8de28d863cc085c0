with

landed as (
    select * from {{ source('metering', 'metering__readings') }}
),

-- Millions of rows pass here: no join, no conversion. Units are worth something only after the sums,
-- so that each meter is rounded once.
final as (
    select
        ---------- ids
        file_id,
        building_code,
        meter_id,
        item_code,

        ---------- place
        line,
        column_number,

        ---------- texts
        reading_kind,
        unit_text,

        ---------- times
        starts_at,
        ends_at,

        ---------- of an hour that the clock shows twice
        is_second_pass,

        ---------- amounts
        amount,
        multiplier,
        replaced_final,
        replaced_start
    from landed
)

select * from final
