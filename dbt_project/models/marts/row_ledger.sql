{#- Where every record and cell of every file ended. What was read is counted by another path than what was loaded. -#}
with

files as (
    select * from {{ ref('stg_control__files') }}
),

counts as (
    select * from {{ ref('stg_control__file_counts') }}
),

records as (
    select * from {{ ref('stg_control__records') }}
),

superseded_records as (
    select * from {{ ref('core_superseded_records') }}
),

reported_cells as (
    select * from {{ ref('core_direct_report_cells') }}
),

-- values that another record stands for, in records of which others stand
superseded_cells as (
    select
        reported_cells.file_id,
        reported_cells.layout_id,
        reported_cells.sheet,
        reported_cells.row_number,
        reported_cells.column_number
    from reported_cells
    anti join superseded_records
        on reported_cells.file_id = superseded_records.file_id
        and reported_cells.row_number = superseded_records.row_number
        and reported_cells.sheet is not distinct from superseded_records.sheet
    group by all
    having bool_and(reported_cells.cell_state = 'superseded')
),

-- a reading that stands twice, and one whose hours other spans hold
repeated_readings as (
    select file_id, line, column_number
    from {{ ref('core_repeated_readings') }}
    where reading_state = 'superseded'

    union all

    select file_id, line, column_number from {{ ref('core_overlapping_readings') }}
),

superseded as (
    select
        superseded_records.file_id,
        superseded_records.layout_id,
        'record' as counted_unit,
        count(*) as n_superseded
    from superseded_records
    group by all

    union all

    select
        superseded_records.file_id,
        superseded_records.layout_id,
        'cell',
        sum(records.n_cells)
    from superseded_records
    inner join records
        on superseded_records.file_id = records.file_id
        and superseded_records.layout_id = records.layout_id
        and superseded_records.row_number = records.row_number
        and (superseded_records.sheet is null or superseded_records.sheet = records.sheet)
    group by all

    union all

    select
        file_id,
        layout_id,
        'cell',
        count(*)
    from superseded_cells
    group by all

    union all

    select
        repeated_readings.file_id,
        files.layout_id,
        case when by_cell.file_id is null then 'record' else 'cell' end,
        count(*)
    from repeated_readings
    inner join files on repeated_readings.file_id = files.file_id
    left join counts as by_cell
        on repeated_readings.file_id = by_cell.file_id
        and by_cell.unit = 'cell'
    group by all
),

superseded_by_file as (
    select
        file_id,
        layout_id,
        counted_unit,
        sum(n_superseded) as n_superseded
    from superseded
    group by all
),

counted as (
    select
        counts.file_id,
        counts.layout_id,
        counts.unit,
        counts.n_read,
        counts.n_loaded - coalesce(superseded_by_file.n_superseded, 0) as n_loaded,
        counts.n_quarantined,
        coalesce(superseded_by_file.n_superseded, 0) as n_superseded,
        counts.n_ignored
    from counts
    left join superseded_by_file
        on counts.file_id = superseded_by_file.file_id
        and counts.layout_id = superseded_by_file.layout_id
        and counts.unit = superseded_by_file.counted_unit
),

-- a file that was refused, or that is the same bytes as another, counts as one thing
whole_files as (
    select
        files.file_id,
        files.layout_id,
        'file' as unit,
        1 as n_read,
        0 as n_loaded,
        case when files.outcome = 'superseded' then 0 else 1 end as n_quarantined,
        case when files.outcome = 'superseded' then 1 else 0 end as n_superseded,
        0 as n_ignored
    from files
    anti join counts on files.file_id = counts.file_id
    where files.outcome <> 'loaded'
),

united as (
    select * from counted
    union all
    select * from whole_files
),

final as (
    select
        ---------- ids
        united.file_id,
        files.path,
        files.source,
        coalesce(united.layout_id, 'none') as layout_id,
        files.form_code,
        files.edition,

        ---------- counts
        united.unit,
        cast(united.n_read as bigint) as n_read,
        cast(united.n_loaded as bigint) as n_loaded,
        cast(united.n_quarantined as bigint) as n_quarantined,
        cast(united.n_superseded as bigint) as n_superseded,
        cast(united.n_ignored as bigint) as n_ignored,

        ---------- outcome
        united.n_read = united.n_loaded + united.n_quarantined + united.n_superseded + united.n_ignored as is_balanced,
        files.outcome,
        files.reason_code
    from united
    inner join files on united.file_id = files.file_id
)

select * from final
