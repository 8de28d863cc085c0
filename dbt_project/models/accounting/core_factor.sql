{#- Every factor, coefficient and conversion in one grammar, whatever table it is kept in. -#}
with

electricity_factors as (
    select * from {{ ref('electricity_factors') }}
),

fuel_factors as (
    select * from {{ ref('fuel_factors') }}
),

heat_factors as (
    select * from {{ ref('heat_factors') }}
),

coal_coefficients as (
    select * from {{ ref('standard_coal_coefficients') }}
),

carrier_conversions as (
    select * from {{ ref('carrier_conversions') }}
),

carriers as (
    select * from {{ ref('carriers') }}
),

factor_units as (
    select * from {{ ref('factor_units') }}
),

conversions as (
    select
        'CV-' || carrier_conversions.carrier || '-' || carrier_conversions.from_unit
            || '-' || carrier_conversions.to_unit as factor_id,
        carriers.carrier_name_zh || '由 ' || carrier_conversions.from_unit || ' 折算为 ' || carrier_conversions.to_unit
            as name_zh,
        carriers.carrier_name_en || ', ' || carrier_conversions.from_unit || ' to ' || carrier_conversions.to_unit
            as name_en,
        carrier_conversions.*
    from carrier_conversions
    left join carriers on carrier_conversions.carrier = carriers.carrier
),

united as (
    select
        factor_id, 'electricity' as factor_kind, name_zh, name_en, family as factor_set, 'electricity' as carrier,
        region_code, scope as factor_scope, cast(null as varchar) as series, valid_year, value, unit, issuer, document, document_no,
        known_since, is_date_approximate, status, evidence
    from electricity_factors

    union all

    select
        factor_id, 'fuel', name_zh, name_en, factor_set, carrier,
        null, null, null, valid_year, value, unit, issuer, document, document_no,
        known_since, is_date_approximate, status, evidence
    from fuel_factors

    union all

    select
        factor_id, 'heat', name_zh, name_en, factor_set, carrier,
        region_code, null, null, valid_year, value, unit, issuer, document, document_no,
        known_since, is_date_approximate, status, evidence
    from heat_factors

    union all

    select
        factor_id, 'standard_coal', name_zh, name_en, factor_set, carrier,
        null, null, series, valid_year, value, unit, issuer, document, document_no,
        known_since, is_date_approximate, status, evidence
    from coal_coefficients

    union all

    select
        factor_id, 'conversion', name_zh, name_en, null, carrier,
        null, null, null, null, multiplier, to_unit || '/' || from_unit, issuer, document, document_no,
        null, null, status, derivation
    from conversions
),

final as (
    select
        ---------- ids
        united.factor_id,
        united.factor_kind,
        united.factor_set,
        united.series,
        united.region_code,

        ---------- texts
        united.name_zh,
        united.name_en,
        united.carrier,
        united.factor_scope,
        united.issuer,
        united.document,
        united.document_no,
        united.status,
        united.evidence,

        ---------- value
        cast(united.value as decimal(18,8)) as factor_value,
        united.unit as factor_unit,
        factor_units.amount_unit,
        factor_units.result_unit,
        cast(factor_units.multiplier as decimal(18,8)) as unit_multiplier,

        ---------- dates
        cast(united.valid_year as integer) as valid_year,
        united.known_since,

        ---------- booleans
        united.is_date_approximate
    from united
    left join factor_units on united.unit = factor_units.factor_unit
)

select * from final
