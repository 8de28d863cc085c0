with

landed as (
    select * from {{ source('registers', 'registers__green_power') }}
),

files as (
    select * from {{ ref('stg_control__files') }}
),

units as (
    select * from {{ ref('unit_conversions') }}
),

final as (
    select
        ---------- ids
        landed.file_id,
        landed.green_power_id,
        landed.institution_id,
        landed.document_no,
        landed.generation_region_code,

        ---------- place
        files.path,
        landed.sheet,
        landed.row_number,

        ---------- texts
        landed.document_kind,
        landed.trade_type,
        landed.document_status,
        landed.snapshot_scope,
        landed.volume_text,
        landed.volume_unit,

        ---------- amounts
        {{ measured('volume') }} as volume_kwh,
        {{ measured('document_volume') }} as document_volume_kwh,

        ---------- dates
        landed.period_starts_on,
        landed.period_ends_on,
        landed.valid_from,
        landed.valid_to,
        landed.as_of,

        ---------- booleans
        {{ measured_has_lost_digits('volume') }}
            or {{ measured_has_lost_digits('document_volume') }} as has_lost_digits
    from landed
    inner join files on landed.file_id = files.file_id
    {{ join_units({'volume': 'kWh', 'document_volume': 'kWh'}) }}
)

select * from final
