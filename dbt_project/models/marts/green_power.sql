{#- Green power by document and year: its volume counts only with a valid document, once. A period over the end of a year is spread by
    day. A line that a newer snapshot of the register no longer holds keeps counting for its period; a document that
    was withdrawn says so by its status. -#}
with

builds as (
    select * from {{ ref('stg_control__build') }}
),

landed as (
    select * from {{ ref('stg_registers__green_power') }}
),

entries as (
    select * from {{ ref('core_register_entry') }} where register_kind = 'green_power' and not is_superseded
),

-- of what the snapshots say of one line, the newest
newest as (
    select
        landed.*,
        entries.snapshot_on
    from landed
    inner join entries
        on landed.file_id = entries.file_id
        and landed.sheet is not distinct from entries.sheet
        and landed.row_number = entries.row_number
    qualify row_number() over (
        partition by landed.green_power_id
        order by entries.snapshot_on desc nulls last, landed.path, landed.row_number
    ) = 1
),

judged as (
    select
        *,
        case
            when document_no is null then 'no_document'
            when document_status is distinct from 'valid' then 'document_not_valid'
            when coalesce(volume_kwh, 0) <= 0 then 'no_volume'
            when period_starts_on is null or period_ends_on is null or period_ends_on < period_starts_on then 'no_period'
        end as own_reason
    from newest
),

-- a certificate has one number for one volume; a settlement may name several institutions
counted_once as (
    select
        *,
        case
            when own_reason is not null then own_reason
            when row_number() over (
                partition by
                    own_reason, document_kind, document_no, case when document_kind = 'settlement' then institution_id end
                order by green_power_id
            ) > 1 then 'document_twice'
        end as refused_reason
    from judged
),

pieces as (
    select
        *,
        unnest(
            case
                when own_reason = 'no_period' or period_starts_on is null or period_ends_on < period_starts_on
                    then [year(coalesce(period_ends_on, period_starts_on, snapshot_on, (select as_of from builds)))]
                else range(year(period_starts_on), year(coalesce(period_ends_on, period_starts_on)) + 1)
            end
        ) as year
    from counted_once
),

-- the volume up to the end of each year, rounded; the years are its steps, so that they add up exactly
cumulated as (
    select
        *,
        case when count(*) over (partition by green_power_id) = 1 then 1 else period_ends_on - period_starts_on + 1 end
            as n_days,
        case when count(*) over (partition by green_power_id) = 1 then 0
            else greatest(make_date(year, 1, 1), period_starts_on) - period_starts_on end as from_day,
        case when count(*) over (partition by green_power_id) = 1 then 1
            else least(make_date(year, 12, 31), period_ends_on) - period_starts_on + 1 end as to_day,
        case when from_day = 0 then cast(0 as decimal(18,4))
            else cast(cast(volume_kwh as double) * from_day / n_days as decimal(18,4)) end as from_kwh,
        case when to_day = n_days then volume_kwh
            else cast(cast(volume_kwh as double) * to_day / n_days as decimal(18,4)) end as to_kwh
    from pieces
),

final as (
    select
        ---------- ids
        green_power_id,
        institution_id,
        cast(year as integer) as year,
        document_no,
        generation_region_code,

        ---------- texts
        document_kind,
        trade_type,
        document_status,
        refused_reason,

        ---------- amounts
        cast(to_kwh - from_kwh as decimal(18,4)) as volume_kwh,
        document_volume_kwh,

        ---------- dates
        period_starts_on,
        period_ends_on,
        snapshot_on,

        ---------- booleans
        refused_reason is null as is_proven,

        ---------- place
        path,
        cast(row_number as integer) as row_number
    from cumulated
)

select * from final
