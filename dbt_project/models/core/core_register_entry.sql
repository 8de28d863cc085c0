{#- Every line of every register with the days that it holds for, from what it states and from the snapshots it stands in.
    A newer snapshot never erases an older one: what it no longer holds ends the day before, what it says otherwise
    begins with it. Files of one scope that tell of the same day are one snapshot; undated files come before all dated. -#}

{%- set registers = [
    ('institution', 'stg_registers__institutions', "institution_id_scheme || '|' || institution_id", 'institution_name',
        'institution_name, institution_type_code, region_code, parent_id, administrative_level, is_key_energy_user, floor_area_m2, energy_users_persons'),
    ('building', 'stg_registers__buildings', 'building_code', 'building_name',
        'building_name, building_class_code, owner_kind, institution_id, region_code, floor_area_m2'),
    ('meter', 'stg_registers__meters',
        "concat_ws('|', building_code, meter_id, item_code, coalesce(parent_meter_id, ''))", 'meter_name',
        'meter_name, meter_kind, meter_level, institution_id, sign, multiplier, register_digits'),
    ('vehicle', 'stg_registers__vehicles', 'vehicle_id', 'vehicle_kind',
        'institution_id, vehicle_kind, fuel, is_new_energy'),
    ('data_room', 'stg_registers__data_rooms', "institution_id || '|' || room_id", 'room_name',
        'room_name, building_code, n_cabinets, floor_area_m2, power_kw'),
    ('project', 'stg_registers__projects', 'project_id', 'project_name',
        'project_name, project_kind, project_status, institution_id, building_code, started_on, completed_on,
            n_charging_piles, investment_cny, capacity_kw, annual_energy_saving_kgce, annual_electricity_kwh'),
    ('green_power', 'stg_registers__green_power', 'green_power_id', 'document_no',
        'institution_id, document_kind, document_no, trade_type, generation_region_code, volume_kwh, period_starts_on,
            period_ends_on, document_status'),
] -%}

with

{% for kind, model, _, _, _ in registers -%}
{{ kind }}s as (
    select * from {{ ref(model) }}
),

{% endfor -%}
observed as (
    {%- for kind, _, key, name, attributes in registers %}
    select
        '{{ kind }}' as register_kind,
        {{ key }} as register_key,
        {{ name }} as register_name,
        md5(cast(row({{ attributes }}) as varchar)) as content_hash,
        file_id,
        path,
        sheet,
        row_number,
        as_of,
        coalesce(as_of, date '0001-01-01') as snapshot_on,
        coalesce(snapshot_scope, '*') as snapshot_scope,
        valid_from as stated_from,
        valid_to as stated_to,
        struct_pack(f := file_id, p := path, s := sheet, r := row_number) as place
    from {{ kind }}s
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

-- One key may stand through several spans of years; two lines of one snapshot whose spans overlap are one thing
-- written twice. The first by start, file and line stands.
overlapping as (
    select
        later.place,
        arg_min(
            earlier.place,
            (coalesce(earlier.stated_from, date '0001-01-01'), earlier.path, coalesce(earlier.sheet, ''), earlier.row_number)
        ) as survivor
    from observed as later
    inner join observed as earlier
        on later.register_kind = earlier.register_kind
        and later.snapshot_scope = earlier.snapshot_scope
        and later.snapshot_on = earlier.snapshot_on
        and later.register_key = earlier.register_key
        and (coalesce(earlier.stated_from, date '0001-01-01'), earlier.path, coalesce(earlier.sheet, ''), earlier.row_number)
            < (coalesce(later.stated_from, date '0001-01-01'), later.path, coalesce(later.sheet, ''), later.row_number)
        and coalesce(earlier.stated_to, date '9999-12-31') >= coalesce(later.stated_from, date '0001-01-01')
    group by all
),

snapshots as (
    select
        register_kind,
        snapshot_scope,
        snapshot_on,
        min(path) as path,
        lag(snapshot_on) over in_time as previous_on,
        lead(snapshot_on) over in_time as next_on
    from observed
    group by register_kind, snapshot_scope, snapshot_on
    window in_time as (partition by register_kind, snapshot_scope order by snapshot_on)
),

compared as (
    select
        observed.*,
        snapshots.previous_on,
        snapshots.next_on,
        coalesce(
            lag(observed.snapshot_on) over of_line = snapshots.previous_on
            and lag(observed.content_hash) over of_line = observed.content_hash,
            false
        ) as is_unchanged
    from observed
    inner join snapshots using (register_kind, snapshot_scope, snapshot_on)
    anti join overlapping on observed.place = overlapping.place
    window of_line as (
        partition by observed.register_kind, observed.snapshot_scope, observed.register_key, observed.stated_from
        order by observed.snapshot_on
    )
),

numbered as (
    select
        *,
        sum(case when is_unchanged then 0 else 1 end) over (
            partition by register_kind, snapshot_scope, register_key, stated_from order by snapshot_on
        ) as run_number
    from compared
),

-- a run: the same line said the same by one snapshot after the other; the newest stands for all of them
runs as (
    select
        register_kind,
        snapshot_scope,
        register_key,
        stated_from,
        run_number,
        min(snapshot_on) as first_on,
        max(snapshot_on) as last_on,
        arg_max(place, snapshot_on) as place,
        arg_max(struct_pack(day := stated_to), snapshot_on).day as stated_to,
        arg_max(struct_pack(day := next_on), snapshot_on).day as next_on,
        case
            when arg_min(struct_pack(day := previous_on), snapshot_on).day is null then stated_from
            when run_number = 1 then coalesce(stated_from, min(snapshot_on))
            else min(snapshot_on)
        end as valid_from
    from numbered
    group by register_kind, snapshot_scope, register_key, stated_from, run_number
),

-- what the next snapshot says of the same key
followed as (
    select
        runs.register_kind,
        runs.snapshot_scope,
        runs.register_key,
        runs.stated_from,
        runs.run_number,
        count(later.place) > 0 as is_in_next,
        min(later.valid_from) filter (
            where later.first_on = runs.next_on
                and later.valid_from > coalesce(runs.valid_from, date '0001-01-01')
        ) as next_from,
        min(later.place) filter (
            where later.first_on = runs.next_on
                and coalesce(later.valid_from, date '0001-01-01') <= coalesce(runs.valid_from, date '0001-01-01')
        ) as replaced_by
    from runs
    left join runs as later
        on runs.register_kind = later.register_kind
        and runs.snapshot_scope = later.snapshot_scope
        and runs.register_key = later.register_key
        and later.first_on <= runs.next_on
        and later.last_on >= runs.next_on
    group by all
),

spans as (
    select
        runs.*,
        followed.replaced_by,
        not followed.is_in_next and runs.next_on is not null
            and coalesce(runs.stated_to, date '9999-12-31') >= runs.next_on as is_ended_by_snapshot,
        -- `least` passes over what is not known
        least(
            runs.stated_to,
            followed.next_from - 1,
            case when not followed.is_in_next then runs.next_on - 1 end
        ) as valid_to
    from runs
    inner join followed
        on runs.register_kind = followed.register_kind
        and runs.snapshot_scope = followed.snapshot_scope
        and runs.register_key = followed.register_key
        and runs.stated_from is not distinct from followed.stated_from
        and runs.run_number = followed.run_number
),

judged as (
    select
        observed.*,
        spans.valid_from,
        spans.valid_to,
        spans.next_on,
        overlapping.survivor is null and spans.place = observed.place and spans.replaced_by is null as is_standing,
        spans.is_ended_by_snapshot,
        case
            when overlapping.survivor is not null then observed.register_kind || '_registered_twice'
            when spans.place <> observed.place then 'same_in_newer_snapshot'
            when spans.replaced_by is not null then 'replaced_by_newer_snapshot'
        end as superseded_reason,
        case
            when overlapping.survivor is not null then overlapping.survivor
            when spans.place <> observed.place then spans.place
            else spans.replaced_by
        end as survivor
    from observed
    left join overlapping on observed.place = overlapping.place
    left join numbered on observed.place = numbered.place
    left join spans
        on numbered.register_kind = spans.register_kind
        and numbered.snapshot_scope = spans.snapshot_scope
        and numbered.register_key = spans.register_key
        and numbered.stated_from is not distinct from spans.stated_from
        and numbered.run_number = spans.run_number
),

final as (
    select
        ---------- ids
        judged.file_id,
        judged.register_kind,
        judged.register_key,
        judged.snapshot_scope,
        judged.content_hash,

        ---------- place
        judged.path,
        judged.sheet,
        cast(judged.row_number as integer) as row_number,

        ---------- texts
        judged.register_name,

        ---------- dates: a line that another stands for keeps what it states itself
        judged.as_of as snapshot_on,
        case when judged.is_standing then judged.valid_from else judged.stated_from end as valid_from,
        case when judged.is_standing then judged.valid_to else judged.stated_to end as valid_to,

        ---------- booleans
        judged.is_standing and judged.is_ended_by_snapshot as is_ended_by_snapshot,
        not judged.is_standing as is_superseded,

        ---------- the snapshot that ended it
        case when judged.is_standing and judged.is_ended_by_snapshot then ended_by.path end as ended_by_path,

        ---------- the line that stands in its place
        judged.superseded_reason,
        judged.survivor.f as survivor_file_id,
        judged.survivor.p as survivor_path,
        judged.survivor.s as survivor_sheet,
        cast(judged.survivor.r as integer) as survivor_row_number
    from judged
    left join snapshots as ended_by
        on judged.register_kind = ended_by.register_kind
        and judged.snapshot_scope = ended_by.snapshot_scope
        and judged.next_on = ended_by.snapshot_on
)

select * from final
