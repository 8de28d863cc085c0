{#- Interval readings of one meter whose spans overlap at different lengths (hours and days of one meter): never
    both count. The shorter ones stand where they cover the longer one wholly, else the longer one does; of two of one
    length the earlier does. Only meters whose spans differ in length or phase are looked at one by one. -#}
with

readings as not materialized (
    select * from {{ ref('stg_metering__readings') }} where reading_kind = 'interval'
),

repeated as (
    select file_id, line, column_number from {{ ref('core_repeated_readings') }}
),

files as (
    select * from {{ ref('stg_control__files') }}
),

uneven as (
    select building_code, meter_id, item_code
    from readings
    where ends_at > starts_at
    group by all
    having min(date_diff('second', starts_at, ends_at)) < max(date_diff('second', starts_at, ends_at))
        or min(epoch(starts_at)::bigint % date_diff('second', starts_at, ends_at))
            < max(epoch(starts_at)::bigint % date_diff('second', starts_at, ends_at))
),

followed as (
    select
        readings.*,
        date_diff('second', readings.starts_at, readings.ends_at) as span_s,
        max(readings.ends_at) over (in_time rows between unbounded preceding and 1 preceding) as ended_before,
        min(readings.starts_at) over (in_time rows between 1 following and unbounded following) as starts_after
    from readings
    inner join uneven
        on readings.building_code = uneven.building_code
        and readings.meter_id is not distinct from uneven.meter_id
        and readings.item_code = uneven.item_code
    anti join repeated
        on readings.file_id = repeated.file_id
        and readings.line = repeated.line
        and readings.column_number = repeated.column_number
    where readings.ends_at > readings.starts_at
    window in_time as (
        partition by readings.building_code, readings.meter_id, readings.item_code
        order by readings.starts_at, readings.ends_at
    )
),

crossing as (
    select
        followed.*,
        files.path
    from followed
    inner join files on followed.file_id = files.file_id
    where followed.starts_at < followed.ended_before or followed.ends_at > followed.starts_after
),

pairs as (
    select
        crossing.file_id,
        crossing.line,
        crossing.column_number,
        crossing.starts_at,
        crossing.ends_at,
        crossing.span_s,
        struct_pack(
            f := other.file_id, p := other.path, l := other.line, c := other.column_number, a := other.amount
        ) as other,
        other.starts_at as other_starts_at,
        other.ends_at as other_ends_at,
        other.span_s as other_span_s
    from crossing
    inner join crossing as other
        on crossing.building_code = other.building_code
        and crossing.meter_id is not distinct from other.meter_id
        and crossing.item_code = other.item_code
        and crossing.starts_at < other.ends_at
        and other.starts_at < crossing.ends_at
    where crossing.span_s <> other.span_s or crossing.starts_at <> other.starts_at
),

-- how much of a span shorter ones cover together, each second once
shorter as (
    select
        *,
        max(other_ends_at) over (
            partition by file_id, line, column_number
            order by other_starts_at, other_ends_at, other.p, other.l, other.c
            rows between unbounded preceding and 1 preceding
        ) as covered_until
    from pairs
    where other_span_s < span_s
),

covered as (
    select
        file_id,
        line,
        column_number,
        sum(greatest(0, date_diff(
            'second',
            greatest(other_starts_at, starts_at, coalesce(covered_until, starts_at)),
            least(other_ends_at, ends_at)
        ))) = any_value(span_s) as is_covered,
        arg_min(other, (other_starts_at, other.p, other.l, other.c)) as first_shorter
    from shorter
    group by all
),

-- the longer span over a reading that no shorter ones cover wholly
under_longer as (
    select
        pairs.file_id,
        pairs.line,
        pairs.column_number,
        arg_max(pairs.other, (pairs.other_span_s, pairs.other.p, pairs.other.l, pairs.other.c)) as longer
    from pairs
    left join covered
        on pairs.other.f = covered.file_id
        and pairs.other.l = covered.line
        and pairs.other.c = covered.column_number
    where pairs.other_span_s > pairs.span_s and not coalesce(covered.is_covered, false)
    group by all
),

beside_earlier as (
    select
        file_id,
        line,
        column_number,
        arg_min(other, (other_starts_at, other.p, other.l, other.c)) as earlier
    from pairs
    where other_span_s = span_s and other_starts_at < starts_at
    group by all
),

judged as (
    select
        crossing.*,
        case
            when covered.is_covered then 'covered_by_shorter'
            when under_longer.longer is not null then 'under_longer'
            when beside_earlier.earlier is not null then 'beside_earlier'
        end as overlap_kind,
        case
            when covered.is_covered then covered.first_shorter
            else coalesce(under_longer.longer, beside_earlier.earlier)
        end as survivor
    from crossing
    left join covered using (file_id, line, column_number)
    left join under_longer using (file_id, line, column_number)
    left join beside_earlier using (file_id, line, column_number)
),

final as (
    select
        ---------- ids
        file_id,
        building_code,
        meter_id,
        item_code,

        ---------- place
        path,
        line,
        column_number,

        ---------- texts
        overlap_kind,

        ---------- times
        starts_at,
        ends_at,

        ---------- amounts
        amount,

        ---------- the reading that stands, or the first of those
        survivor.f as survivor_file_id,
        survivor.p as survivor_path,
        survivor.l as survivor_line,
        survivor.a as survivor_amount
    from judged
    where overlap_kind is not null
)

select * from final
