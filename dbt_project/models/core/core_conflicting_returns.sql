{#- Approved values of one institution, period, release and item that say different things. -#}
with

cells as (
    select * from {{ ref('core_direct_report_cells') }}
),

conflicts as (
    select * from cells where cell_state = 'conflicting'
),

final as (
    select
        ---------- ids
        conflicts.form_code,
        conflicts.institution_id_scheme,
        conflicts.institution_id,
        conflicts.catalog_item_id,
        cast(conflicts.year as integer) as year,
        conflicts.period_kind,
        cast(conflicts.period_index as integer) as period_index,
        cast(conflicts.release_number as integer) as release_number,
        conflicts.item_code,

        ---------- place
        conflicts.file_id,
        conflicts.path,
        conflicts.sheet,
        cast(conflicts.row_number as integer) as row_number,
        cast(conflicts.column_number as integer) as column_number,
        {{ cell('conflicts.column_number', 'conflicts.row_number') }} as cell,
        conflicts.value_text,
        conflicts.unit_text,
        conflicts.amount,

        ---------- the value that the figures use
        conflicts.survivor_file_id,
        conflicts.survivor_path,
        conflicts.survivor_sheet,
        conflicts.survivor_row_number,
        cast(used.column_number as integer) as survivor_column_number,
        {{ cell('used.column_number', 'conflicts.survivor_row_number') }} as survivor_cell,
        used.value_text as survivor_value_text,
        used.amount as survivor_amount
    from conflicts
    left join cells as used
        on used.cell_state = 'used'
        and conflicts.survivor_file_id = used.file_id
        and conflicts.survivor_sheet is not distinct from used.sheet
        and conflicts.survivor_row_number = used.row_number
        and conflicts.form_code = used.form_code
        and conflicts.institution_id_scheme = used.institution_id_scheme
        and conflicts.institution_id = used.institution_id
        and conflicts.catalog_item_id = used.catalog_item_id
        and conflicts.year = used.year
        and conflicts.period_kind = used.period_kind
        and conflicts.period_index = used.period_index
        and conflicts.item_code = used.item_code
    -- two cells of the used record that are read as one item name the conflict once
    qualify row_number() over (
        partition by conflicts.file_id, conflicts.sheet, conflicts.row_number, conflicts.column_number,
            conflicts.institution_id, conflicts.year, conflicts.period_kind, conflicts.period_index, conflicts.item_code
        order by used.column_number
    ) = 1
)

select * from final
