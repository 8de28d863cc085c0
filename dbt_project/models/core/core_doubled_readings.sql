{#- Readings of meters that send both what a span used and what their counter shows: one of the two counts. The kind that
    the seed reading_kinds puts first stands; but intervals stand in the place of a counter's step only where they hold
    its span wholly, else the step does. -#}
with

readings as (
    select * from {{ ref('stg_metering__readings') }} where reading_kind = 'interval'
),

steps as (
    select * from {{ ref('core_register_steps') }} where amount is not null
),

files as (
    select * from {{ ref('stg_control__files') }}
),

kinds as (
    select arg_min(reading_kind, precedence_number) as preferred_kind
    from {{ ref('reading_kinds') }}
),

out as (
    select file_id, line, column_number from {{ ref('core_repeated_readings') }}
    union all
    select file_id, line, column_number from {{ ref('core_overlapping_readings') }}
),

counted as (
    select distinct building_code, meter_id, item_code from steps
),

intervals as (
    select
        readings.*,
        files.path
    from readings
    inner join counted
        on readings.building_code = counted.building_code
        and readings.meter_id is not distinct from counted.meter_id
        and readings.item_code = counted.item_code
    inner join files on readings.file_id = files.file_id
    anti join out
        on readings.file_id = out.file_id
        and readings.line = out.line
        and readings.column_number = out.column_number
    where readings.amount is not null
),

pairs as (
    select
        steps.building_code,
        steps.meter_id,
        steps.item_code,
        struct_pack(f := steps.file_id, p := steps.path, l := steps.line, c := steps.column_number, a := steps.amount) as step,
        steps.starts_at as step_starts_at,
        steps.ends_at as step_ends_at,
        struct_pack(
            f := intervals.file_id, p := intervals.path, l := intervals.line, c := intervals.column_number,
            a := intervals.amount
        ) as interval_reading,
        intervals.starts_at as interval_starts_at,
        intervals.ends_at as interval_ends_at,
        date_diff(
            'second',
            greatest(steps.starts_at, intervals.starts_at),
            least(steps.ends_at, intervals.ends_at)
        ) as shared_s
    from steps
    inner join intervals
        on steps.building_code = intervals.building_code
        and steps.meter_id is not distinct from intervals.meter_id
        and steps.item_code = intervals.item_code
        and steps.starts_at < intervals.ends_at
        and intervals.starts_at < steps.ends_at
),

judged as (
    select
        *,
        kinds.preferred_kind = 'register'
            or sum(shared_s) over (partition by step.f, step.l, step.c) < date_diff('second', step_starts_at, step_ends_at)
            as is_step_standing
    from pairs
    cross join kinds
),

-- an interval that reaches into a step that stands goes, so that no hour counts twice
superseded as (
    select
        building_code,
        meter_id,
        item_code,
        'interval' as reading_kind,
        interval_reading as reading,
        interval_starts_at as starts_at,
        interval_ends_at as ends_at,
        'register' as survivor_kind,
        arg_min(step, (step_starts_at, step.p, step.l)) as survivor
    from judged
    where is_step_standing
    group by all

    union all

    select
        building_code, meter_id, item_code, 'register', step, step_starts_at, step_ends_at, 'interval',
        arg_min(interval_reading, (interval_starts_at, interval_reading.p, interval_reading.l, interval_reading.c))
    from judged
    where not is_step_standing
    group by all
),

final as (
    select
        ---------- ids
        reading.f as file_id,
        building_code,
        meter_id,
        item_code,

        ---------- place
        reading.p as path,
        reading.l as line,
        reading.c as column_number,

        ---------- texts
        reading_kind,
        survivor_kind,

        ---------- times
        starts_at,
        ends_at,

        ---------- amounts
        reading.a as amount,

        ---------- the reading that stands, or the first of those
        survivor.f as survivor_file_id,
        survivor.p as survivor_path,
        survivor.l as survivor_line,
        survivor.a as survivor_amount
    from superseded
)

select * from final
