{#- Every amount that a rule of its layout changed, with the amount that was read, the rule and the readings it was
    made from. Nothing here without a layout that names options. A reading that cannot be right is missing (null) unless
    a gap rule of the layout fills it; a span without a reading is filled by the same rule. -#}
with

readings as (
    select * from {{ ref('core_standing_reading') }}
),

files as (
    select * from {{ ref('stg_control__files') }}
),

rules as (
    select * from {{ ref('stg_control__reading_rules') }}
),

codes as (
    select * from {{ ref('repair_codes') }}
),

steps as (
    select * from {{ ref('core_standing_step') }}
),

governed as (
    select
        readings.*,
        files.path,
        rules.* exclude (register_capacity, register_reset, duplicates),
        date_diff('second', readings.starts_at, readings.ends_at) as span_s
    from readings
    inner join files on readings.file_id = files.file_id
    inner join rules on files.layout_id = rules.layout_id
),

-- runs of equal readings, in time
changes as (
    select
        *,
        amount is distinct from lag(amount) over in_time as is_other
    from governed
    window in_time as (partition by building_code, meter_id, item_code order by starts_at, ends_at)
),

runs as (
    select
        *,
        sum(is_other::integer) over in_time as run_number
    from changes
    window in_time as (
        partition by building_code, meter_id, item_code order by starts_at, ends_at
        rows between unbounded preceding and current row
    )
),

judged as (
    select
        *,
        case
            when amount < 0 and negative = 'missing' then 'negative'
            when cast(abs(amount) as decimal(19,4)) * 3600 > cast(impossible_above_per_hour as decimal(19,4)) * span_s
                then 'impossible'
            when amount = 0 and zero = 'missing' then 'zero_for_missing'
            -- the first of a run may be real; zeros are no stuck meter
            when amount <> 0
                and count(*) over (partition by building_code, meter_id, item_code, run_number) >= stuck_after
                and row_number() over (
                    partition by building_code, meter_id, item_code, run_number order by starts_at, ends_at
                ) > 1
                then 'stuck'
        end as repair_code
    from runs
),

sound as (
    select * from judged where repair_code is null and amount is not null
),

-- between two sound readings of one length: the spans that have none
gaps as (
    select
        *,
        lead(starts_at) over in_time as next_starts_at,
        lead(amount) over in_time as next_amount,
        lead(span_s) over in_time as next_span_s,
        lead(unit_text) over in_time as next_unit_text,
        lead(multiplier) over in_time as next_multiplier
    from sound
    window in_time as (partition by building_code, meter_id, item_code order by starts_at, ends_at)
),

slots as (
    select
        *,
        date_diff('second', ends_at, next_starts_at) // span_s as n_slots,
        unnest(generate_series(1, date_diff('second', ends_at, next_starts_at) // span_s)) as slot_number
    from gaps
    where gap_fill is not null
        and next_starts_at > ends_at
        and span_s > 0
        and next_span_s = span_s
        and next_unit_text = unit_text
        and next_multiplier = multiplier
        and date_diff('second', ends_at, next_starts_at) % span_s = 0
        and date_diff('second', ends_at, next_starts_at) <= gap_longest_hours * 3600
),

spaced as (
    select
        * exclude (starts_at, ends_at),
        ends_at as before_ends_at,
        ends_at + to_seconds((slot_number - 1) * span_s) as starts_at,
        ends_at + to_seconds(slot_number * span_s) as ends_at
    from slots
),

-- what a counter moved is there already: nothing is filled beside it
timed as (
    select *
    from spaced
    anti join steps
        on spaced.building_code = steps.building_code
        and spaced.meter_id is not distinct from steps.meter_id
        and spaced.item_code = steps.item_code
        and spaced.starts_at < steps.ends_at
        and steps.starts_at < spaced.ends_at
        and steps.amount is not null
),

weeks as (
    select unnest(generate_series(-8, 8)) as n_weeks
),

-- readings of the same weekday and hour in the weeks around
donors as (
    select
        timed.building_code,
        timed.meter_id,
        timed.item_code,
        timed.starts_at,
        median(cast(sound.amount as double)) as amount,
        count(*) as n_donors,
        string_agg(strftime(sound.starts_at, '%Y-%m-%d %H:%M'), '; ' order by sound.starts_at) as donors
    from timed
    inner join weeks on weeks.n_weeks <> 0 and abs(weeks.n_weeks) <= timed.gap_weeks
    inner join sound
        on timed.building_code = sound.building_code
        and timed.meter_id is not distinct from sound.meter_id
        and timed.item_code = sound.item_code
        and timed.span_s = sound.span_s
        and timed.unit_text = sound.unit_text
        and timed.multiplier = sound.multiplier
        and sound.starts_at = timed.starts_at + to_days(cast(7 * weeks.n_weeks as integer))
    where timed.gap_fill = 'same_hour'
    group by all
),

filled as (
    select
        timed.*,
        cast(
            case timed.gap_fill
                when 'linear' then cast(timed.amount as double)
                    + (cast(timed.next_amount as double) - cast(timed.amount as double))
                    * timed.slot_number / (timed.n_slots + 1)
                else donors.amount
            end as decimal(18,4)
        ) as filled_amount,
        case timed.gap_fill
            when 'linear' then strftime(timed.before_ends_at - to_seconds(timed.span_s), '%Y-%m-%d %H:%M') || '; '
                || strftime(timed.next_starts_at, '%Y-%m-%d %H:%M')
            else donors.donors
        end as filled_from,
        case timed.gap_fill when 'linear' then 2 else donors.n_donors end as n_filled_from
    from timed
    left join donors
        on timed.building_code = donors.building_code
        and timed.meter_id is not distinct from donors.meter_id
        and timed.item_code = donors.item_code
        and timed.starts_at = donors.starts_at
),

withdrawn as (
    select * from judged where repair_code is not null
),

mended as (
    select
        withdrawn.file_id, withdrawn.layout_id, withdrawn.building_code, withdrawn.meter_id, withdrawn.item_code,
        withdrawn.path, withdrawn.line, withdrawn.column_number, withdrawn.unit_text, withdrawn.multiplier,
        withdrawn.starts_at, withdrawn.ends_at, withdrawn.amount as raw_amount, withdrawn.repair_code,
        filled.filled_amount as repaired_amount,
        case when filled.filled_amount is not null then filled.gap_fill end as donor_code,
        filled.filled_from as donors,
        filled.n_filled_from as n_donors
    from withdrawn
    left join filled
        on withdrawn.building_code = filled.building_code
        and withdrawn.meter_id is not distinct from filled.meter_id
        and withdrawn.item_code = filled.item_code
        and withdrawn.starts_at = filled.starts_at
        and withdrawn.ends_at = filled.ends_at

    union all

    select
        filled.file_id, filled.layout_id, filled.building_code, filled.meter_id, filled.item_code,
        filled.path, null, null, filled.unit_text, filled.multiplier,
        filled.starts_at, filled.ends_at, null, 'gap',
        filled.filled_amount, filled.gap_fill, filled.filled_from, filled.n_filled_from
    from filled
    anti join withdrawn
        on withdrawn.building_code = filled.building_code
        and withdrawn.meter_id is not distinct from filled.meter_id
        and withdrawn.item_code = filled.item_code
        and withdrawn.starts_at = filled.starts_at
        and withdrawn.ends_at = filled.ends_at
    where filled.filled_amount is not null
),

united as (
    select *, 'interval' as reading_kind from mended

    union all

    select
        steps.file_id, files.layout_id, steps.building_code, steps.meter_id, steps.item_code,
        steps.path, steps.line, steps.column_number, steps.unit_text, steps.multiplier,
        steps.starts_at, steps.ends_at, null, steps.step_kind,
        steps.amount, 'registers',
        concat_ws('; ', steps.previous_amount, steps.register_amount), 2,
        'register'
    from steps
    inner join files on steps.file_id = files.file_id
    where steps.step_kind in ('rollover', 'reset')
),

final as (
    select
        ---------- ids
        united.file_id,
        united.layout_id,
        united.building_code,
        united.meter_id,
        united.item_code,

        ---------- place
        united.path,
        united.line,
        united.column_number,

        ---------- texts
        united.reading_kind,
        united.unit_text,
        united.repair_code,
        codes.name_zh as repair_name_zh,
        codes.name_en as repair_name_en,
        united.donor_code,
        united.donors,

        ---------- times
        united.starts_at,
        united.ends_at,

        ---------- amounts
        united.raw_amount,
        cast(united.repaired_amount as decimal(18,4)) as repaired_amount,
        united.multiplier,

        ---------- counts
        cast(united.n_donors as bigint) as n_donors
    from united
    inner join codes on united.repair_code = codes.repair_code
)

select * from final
