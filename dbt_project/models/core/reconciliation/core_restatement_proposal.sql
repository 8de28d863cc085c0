{{ config(materialized='view') }}

{#- What a held return would change, cell by cell: the amount that stands and the one that it says. What it says no differently
    is no proposal. -#}
with

late as (
    select * from {{ ref('core_late_return') }} where lateness = 'held'
),

cells as not materialized (
    select * from {{ ref('core_direct_report_cells') }}
),

files as (
    select * from {{ ref('stg_control__files') }}
),

held as (
    select cells.*, late.received_on, late.frozen_on
    from cells
    inner join late using (file_id, institution_id_scheme, institution_id, year)
    where cells.cell_state = 'held'
),

standing as (
    select cells.*
    from cells
    semi join late using (institution_id_scheme, institution_id, year)
    where cells.cell_state = 'used'
),

said as (
    select
        file_id, form_code, institution_id_scheme, institution_id, catalog_item_id, item_code, year, period_kind,
        period_index,
        any_value(received_on) as received_on,
        any_value(frozen_on) as frozen_on,
        any_value(unit) as unit,
        sum(amount) as proposed_amount,
        arg_min(
            struct_pack(p := path, s := sheet, r := row_number, c := column_number),
            (path, sheet, row_number, column_number)
        ) as place
    from held
    group by
        file_id, form_code, institution_id_scheme, institution_id, catalog_item_id, item_code, year, period_kind, period_index
),

stood as (
    select
        form_code, institution_id_scheme, institution_id, catalog_item_id, item_code, year, period_kind, period_index,
        any_value(unit) as unit,
        sum(amount) as standing_amount,
        min(file_id) as standing_file_id
    from standing
    group by
        form_code, institution_id_scheme, institution_id, catalog_item_id, item_code, year, period_kind, period_index
),

-- the version that stands under the same name goes with all it says, also what the newer one leaves out
dropped as (
    select
        late.file_id, stood.* exclude (standing_file_id), late.received_on, late.frozen_on, files.path
    from late
    inner join files on late.file_id = files.file_id
    inner join stood using (institution_id_scheme, institution_id, year)
    inner join files as standing_files
        on stood.standing_file_id = standing_files.file_id and files.path = standing_files.path
    anti join said
        on late.file_id = said.file_id
        and stood.form_code = said.form_code
        and stood.institution_id_scheme = said.institution_id_scheme
        and stood.institution_id = said.institution_id
        and stood.catalog_item_id is not distinct from said.catalog_item_id
        and stood.item_code = said.item_code
        and stood.year = said.year
        and stood.period_kind = said.period_kind
        and stood.period_index = said.period_index
),

united as (
    select
        said.* exclude (place),
        stood.standing_amount,
        said.place.p as path,
        said.place.s as sheet,
        said.place.r as row_number,
        said.place.c as column_number
    from said
    left join stood
        on said.form_code = stood.form_code
        and said.institution_id_scheme = stood.institution_id_scheme
        and said.institution_id = stood.institution_id
        and said.catalog_item_id is not distinct from stood.catalog_item_id
        and said.item_code = stood.item_code
        and said.year = stood.year
        and said.period_kind = stood.period_kind
        and said.period_index = stood.period_index
    where said.proposed_amount is distinct from stood.standing_amount

    union all by name

    select * from dropped
),

final as (
    select
        ---------- ids
        file_id,
        form_code,
        institution_id_scheme,
        institution_id,
        catalog_item_id,
        item_code,

        ---------- period
        cast(year as integer) as year,
        period_kind,
        cast(period_index as integer) as period_index,

        ---------- dates
        received_on,
        frozen_on,

        ---------- amounts
        unit,
        cast(standing_amount as decimal(18,4)) as standing_amount,
        cast(proposed_amount as decimal(18,4)) as proposed_amount,

        ---------- place
        path,
        sheet,
        cast(row_number as integer) as row_number,
        cast(column_number as integer) as column_number,
        {{ cell('column_number', 'row_number') }} as cell
    from united
)

select * from final
