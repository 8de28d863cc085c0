{#- Readings of one meter for one span of time that are there more than once. Only these are looked at one by
    one: a window over all readings would cost more than all the sums, and to group all of them by their span takes
    gigabytes. -#}
with

readings as not materialized (
    select * from {{ ref('stg_metering__readings') }}
),

files as (
    select * from {{ ref('stg_control__files') }}
),

rules as (
    select * from {{ ref('stg_control__reading_rules') }}
),

timed as not materialized (
    select *, coalesce(starts_at, ends_at) as stands_at from readings
),

-- a third of a day has 96 slots of five minutes: where each holds one reading at most, no span is there twice
crowded as (
    select
        building_code,
        meter_id,
        item_code,
        reading_kind,
        cast(stands_at as date) as stands_on,
        hour(stands_at) // 8 as third_of_day
    from timed
    group by all
    having count(*) > bit_count(bit_or(1::hugeint << cast(hour(stands_at) % 8 * 12 + minute(stands_at) // 5 as integer)))
),

repeated as (
    select timed.*
    from timed
    semi join crowded
        on timed.building_code = crowded.building_code
        and timed.meter_id is not distinct from crowded.meter_id
        and timed.item_code = crowded.item_code
        and timed.reading_kind = crowded.reading_kind
        and cast(timed.stands_at as date) = crowded.stands_on
        and hour(timed.stands_at) // 8 = crowded.third_of_day
    qualify count(*) over (
        partition by
            timed.building_code,
            timed.meter_id,
            timed.item_code,
            timed.reading_kind,
            timed.starts_at,
            timed.ends_at,
            timed.is_second_pass
    ) > 1
),

suspects as (
    select
        repeated.*,
        files.path,
        files.received_on,
        coalesce(rules.duplicates = 'newest', false) as is_newest_first
    from repeated
    inner join files on repeated.file_id = files.file_id
    left join rules on files.layout_id = rules.layout_id
),

-- by name of the file and place in it, never by arrival; nothing, and a zero, give way to a real amount.
-- Where the layouts of all of them say so, the newest stands, whatever it says: senders repeat what was wrong
ordered as (
    select
        *,
        bool_and(is_newest_first) over same_key as is_newest,
        case when is_newest then received_on end as newest_on,
        case when is_newest then path end as newest_path,
        case when is_newest then struct_pack(l := line, c := column_number) end as newest_place
    from suspects
    window same_key as (
        partition by building_code, meter_id, item_code, reading_kind, starts_at, ends_at, is_second_pass
    )
),

compared as (
    select
        *,
        row_number() over by_place as place_in_key,
        first_value(struct_pack(
            f := file_id, p := path, l := line, a := amount, u := unit_text,
            content := struct_pack(a := amount, m := multiplier, u := unit_text, x := replaced_final, y := replaced_start)
        )) over by_place as survivor,
        struct_pack(a := amount, m := multiplier, u := unit_text, x := replaced_final, y := replaced_start) as content
    from ordered
    window by_place as (
        partition by building_code, meter_id, item_code, reading_kind, starts_at, ends_at, is_second_pass
        order by
            amount is null,
            newest_on desc nulls last,
            newest_path desc nulls last,
            newest_place desc nulls last,
            amount = 0,
            path,
            line,
            column_number
    )
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
        case when is_newest or content is not distinct from survivor.content then 'superseded' else 'conflicting' end
            as reading_state,

        ---------- times
        starts_at,
        ends_at,

        ---------- amounts
        amount,

        ---------- the reading that stands
        survivor.f as survivor_file_id,
        survivor.p as survivor_path,
        survivor.l as survivor_line,
        survivor.a as survivor_amount
    from compared
    where place_in_key > 1
)

select * from final
