with

steps as (
    select * from {{ ref('core_register_steps') }}
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

        ---------- texts
        step_kind as event_kind,
        unit_text,

        ---------- times
        starts_at,
        ends_at,

        ---------- the reading before
        previous_path,
        previous_line,

        ---------- register values
        previous_amount,
        register_amount,
        replaced_final,
        replaced_start,
        amount,

        ---------- booleans
        step_kind = 'replacement' as is_mended
    from steps
    where step_kind in ('replacement', 'decrease', 'decrease_over_gap')
)

select * from final
