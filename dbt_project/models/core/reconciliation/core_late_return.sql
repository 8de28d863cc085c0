{#- What files say of institutions and years that were signed off before they came: held, or accepted by a line of
    restatements.yml. Of a file that came anew under its name after a year was signed off the version before it still counts for
    that year; for all else it is outdated. Empty as long as no year is signed off. -#}
with

files as (
    select * from {{ ref('stg_control__files') }} where source = 'direct_report' and outcome = 'loaded'
),

frozen_years as (
    select * from {{ source('control', 'frozen_years') }}
),

restatements as (
    select * from {{ source('control', 'restatements') }}
),

landed as not materialized (
    select * from {{ ref('stg_direct_report__values') }}
),

late_files as (
    select files.file_id, frozen_years.year, frozen_years.frozen_on, files.received_on
    from files
    inner join frozen_years on files.received_on > frozen_years.frozen_on
),

-- two versions under one name are loaded only where a year was signed off between them
versions as (
    select older.file_id, newer.file_id as newer_file_id
    from files as older
    inner join files as newer on older.path = newer.path and older.received_on < newer.received_on
),

said as (
    select distinct file_id, institution_id_scheme, institution_id, year
    from landed
    semi join (select file_id from late_files union select file_id from versions) as touched using (file_id)
),

judged as (
    select
        said.*,
        late_files.frozen_on,
        late_files.received_on,
        case
            when late_files.frozen_on is null then 'standing'
            when restatements.file_id is null then 'held'
            else 'accepted'
        end as lateness
    from said
    left join late_files using (file_id, year)
    left join restatements using (file_id, institution_id, year)
),

-- a version is replaced where a newer one counts; one that leaves an institution out replaces all it said
replaced as (
    select distinct said.file_id, said.institution_id_scheme, said.institution_id, said.year
    from said
    inner join versions on said.file_id = versions.file_id
    left join late_files
        on versions.newer_file_id = late_files.file_id
        and said.year = late_files.year
    left join restatements
        on versions.newer_file_id = restatements.file_id
        and said.institution_id = restatements.institution_id
        and said.year = restatements.year
    where late_files.file_id is null or restatements.file_id is not null
),

final as (
    select
        ---------- ids
        judged.file_id,
        judged.institution_id_scheme,
        judged.institution_id,
        cast(judged.year as integer) as year,

        ---------- texts
        case when replaced.file_id is not null then 'outdated' else judged.lateness end as lateness,

        ---------- dates
        judged.received_on,
        judged.frozen_on
    from judged
    left join replaced using (file_id, institution_id_scheme, institution_id, year)
    where replaced.file_id is not null or judged.lateness <> 'standing'
)

select * from final
