{#- The registry as it stood in this build: every row, used or not, with what was computed from rows. -#}
with

factors as (
    select * from {{ ref('core_factor') }}
),

final as (
    select
        ---------- ids
        factor_id,
        factor_kind,
        factor_set,
        series,
        parameter,
        region_code,

        ---------- texts
        name_zh,
        name_en,
        carrier,
        gas,
        factor_scope,

        ---------- value
        factor_value,
        factor_value_low,
        factor_value_high,
        factor_unit,

        ---------- valid for
        valid_year,
        valid_from,
        valid_until,

        ---------- source
        known_since,
        is_date_approximate,
        issuer,
        document,
        document_no,
        status,
        evidence,
        factor_origin
    from factors
)

select * from final
