{#- What happened to each institution of the register, and when: one row an event, with what holds from that day on.
    A merger is stated by the line of who went (`merged_into_id`), a split by the line of who came (`split_from_id`);
    everything else is told by one span of days against the next. -#}

{%- set attributes = {
    'renamed': 'institution_name', 'type_changed': 'institution_type_code', 'moved': 'region_code',
    'parent_changed': 'parent_id', 'level_changed': 'administrative_level',
    'area_changed': 'floor_area_m2', 'persons_changed': 'energy_users_persons',
} -%}

{%- set stated = 'institution_name, institution_type_code, region_code, parent_id, administrative_level, floor_area_m2,
        energy_users_persons, valid_from, valid_to, path, row_number' -%}

with

builds as (
    select as_of from {{ ref('stg_control__build') }}
),

register as (
    select * from {{ ref('core_institution_register') }} where not is_superseded
),

spans as (
    select
        register.*,
        -- a line without a first day is known since its snapshot, or since this night
        coalesce(valid_from, snapshot_on, builds.as_of) as starts_on,
        lag(valid_to) over by_day as previous_to,
        lag(institution_id) over by_day is null as is_first,
        lead(coalesce(valid_from, snapshot_on, builds.as_of)) over by_day as next_on,
        {%- for column in attributes.values() %}
        lag({{ column }}) over by_day as previous_{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from register
    cross join builds
    window by_day as (
        partition by institution_id_scheme, institution_id
        order by coalesce(valid_from, date '0001-01-01'), path, row_number
    )
),

came as (
    select
        *,
        starts_on as changed_on,
        case
            when is_first and valid_from is null then 'first_listed'
            when is_first and split_from_id is not null then 'split_from'
            when is_first then 'opened'
            else 'returned'
        end as event_kind,
        case when is_first then split_from_id end as related_institution_id
    from spans
    where is_first or previous_to + 1 < starts_on
),

went as (
    select
        *,
        valid_to + 1 as changed_on,
        case when merged_into_id is null then 'left' else 'merged_into' end as event_kind,
        merged_into_id as related_institution_id
    from spans
    where valid_to is not null and (next_on is null or valid_to + 1 < next_on)
),

-- the other side of a merger or split, with the span of its own that holds on the day
others as (
    select
        sides.changed_on,
        case sides.event_kind when 'merged_into' then 'absorbed' else 'split_off' end as event_kind,
        sides.institution_id as other_id,
        spans.* exclude (path, row_number),
        sides.path,
        sides.row_number
    from (select * from came union all by name select * from went) as sides
    inner join spans
        on sides.institution_id_scheme is not distinct from spans.institution_id_scheme
        and sides.related_institution_id = spans.institution_id
        and sides.changed_on >= spans.starts_on
        and sides.changed_on <= coalesce(spans.valid_to, date '9999-12-31')
    where sides.event_kind in ('merged_into', 'split_from')
),

changed as (
    select
        * exclude (change),
        change.event_kind as event_kind,
        change.value_before as value_before,
        change.value_after as value_after
    from (
        select
            *,
            unnest([
                {%- for event_kind, column in attributes.items() %}
                {
                    'event_kind': '{{ event_kind }}',
                    'value_before': cast(previous_{{ column }} as varchar),
                    'value_after': cast({{ column }} as varchar)
                }{{ ',' if not loop.last }}
                {%- endfor %}
            ]) as change
        from spans
        where not is_first
    )
    where change.value_before is distinct from change.value_after
),

events as (
    {%- for cte, changed_on, related, before, after in [
        ('came', 'changed_on', 'related_institution_id', 'null', 'null'),
        ('went', 'changed_on', 'related_institution_id', 'null', 'null'),
        ('others', 'changed_on', 'other_id', 'null', 'null'),
        ('changed', 'starts_on', 'null', 'value_before', 'value_after'),
    ] %}
    select
        institution_id_scheme, institution_id, {{ changed_on }} as changed_on, event_kind,
        {{ related }} as related_institution_id, {{ before }} as value_before, {{ after }} as value_after,
        {{ stated }}
    from {{ cte }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        ---------- ids
        institution_id_scheme,
        institution_id,

        ---------- what happened
        changed_on,
        event_kind as institution_event_kind,
        related_institution_id,
        value_before,
        value_after,

        ---------- what holds from then on, and held until then of one that went
        institution_name,
        institution_type_code,
        region_code,
        parent_id,
        administrative_level,
        cast(floor_area_m2 as decimal(18,4)) as floor_area_m2,
        cast(energy_users_persons as decimal(18,4)) as energy_users_persons,

        ---------- dates
        valid_from,
        valid_to,

        ---------- place of the line that says so
        path,
        row_number
    from events
)

select * from final
