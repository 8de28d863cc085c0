{#- Which meter lies behind which, and for which days, as the register of meters says. A meter that is a sum of others has
    no readings of its own. -#}
with

register as (
    select * from {{ ref('stg_registers__meters') }}
),

entries as (
    select * from {{ ref('core_register_entry') }} where register_kind = 'meter' and not is_superseded
),

standing as (
    select
        register.*,
        entries.valid_from as holds_from,
        entries.valid_to as holds_to
    from register
    inner join entries
        on register.file_id = entries.file_id
        and register.sheet is not distinct from entries.sheet
        and register.row_number = entries.row_number
),

above as (
    select building_code, meter_id, min(item_code) as item_code, bool_or(meter_kind = 'virtual') as is_virtual
    from standing
    group by all
),

final as (
    select
        ---------- ids
        standing.building_code,
        standing.meter_id,
        standing.item_code,
        standing.parent_meter_id,
        standing.institution_id,
        above.item_code as parent_item_code,

        ---------- texts
        standing.meter_name,

        ---------- place
        standing.path,
        cast(standing.row_number as integer) as row_number,

        ---------- booleans
        coalesce(standing.meter_kind = 'virtual', false) as is_virtual,
        coalesce(above.is_virtual, false) as is_part_of_virtual,

        ---------- 1 for the supply of the unit, 2 for a building, 3 for equipment
        cast(standing.meter_level as integer) as meter_level,

        ---------- +1 or -1
        cast(coalesce(standing.sign, 1) as integer) as sign_number,

        ---------- dates
        coalesce(standing.holds_from, date '0001-01-01') as valid_from,
        coalesce(standing.holds_to, date '9999-12-31') as valid_to
    from standing
    left join above
        on standing.building_code = above.building_code
        and standing.parent_meter_id = above.meter_id
)

select * from final
