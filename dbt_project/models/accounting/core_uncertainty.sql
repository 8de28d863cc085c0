{#- The 95 % interval of every activity (by carrier and kind of measurement) and of every factor row, minus and plus apart:
    what the profile names, else the row's own limits, else the default that a declaration chooses. -#}
with

defaults as (
    select * from {{ ref('uncertainty_defaults') }}
),

choices as (
    select * from {{ ref('uncertainty_choices') }}
),

factors as (
    select * from {{ ref('core_factor') }}
),

named as (
    select * from {{ ref('stg_control__uncertainties') }}
),

-- of a span of half-widths the upper end counts on both sides
sides as (
    select
        defaults.uncertainty_id,
        defaults.distribution,
        case when defaults.meaning = 'minus_plus' then defaults.low_pct else defaults.high_pct end as minus_pct,
        defaults.high_pct as plus_pct,
        'default' as uncertainty_origin
    from defaults
    anti join named on defaults.uncertainty_id = named.uncertainty_id

    union all

    select uncertainty_id, distribution, minus_pct, plus_pct, 'profile'
    from named
    where uncertainty_id is not null
),

-- limits that the source of a row prints are its own
own as (
    select
        factor_id,
        {{ ratio('factor_value - factor_value_low', 'factor_value') }} * 100 as minus_pct,
        {{ ratio('factor_value_high - factor_value', 'factor_value') }} * 100 as plus_pct
    from factors
    anti join named on factors.factor_id = named.factor_id
    where factor_value_low is not null and factor_value_high is not null
),

chosen as (
    select
        factors.factor_id,
        choices.uncertainty_id
    from factors
    inner join choices
        on choices.subject_kind = 'factor'
        and (
            factors.factor_id = choices.factor_id
            or (
                choices.factor_id is null
                and factors.factor_kind = choices.factor_kind
                -- a row of an inventory is of a category, not of a carrier
                and case when factors.factor_kind = 'inventory' then factors.series else factors.carrier end = choices.carrier
                and (factors.parameter is not distinct from 'per_unit' or factors.factor_kind = 'inventory')
                and (choices.gas is null or factors.gas = choices.gas)
            )
        )
    qualify row_number() over (
        partition by factors.factor_id order by choices.factor_id nulls last, choices.uncertainty_id
    ) = 1
),

united as (
    select
        'activity' as subject_kind,
        choices.measurement_kind || ' ' || choices.carrier as subject_key,
        sides.*
    from choices
    inner join sides on choices.uncertainty_id = sides.uncertainty_id
    where choices.subject_kind = 'activity'

    union all

    select 'factor', chosen.factor_id, sides.*
    from chosen
    inner join sides on chosen.uncertainty_id = sides.uncertainty_id
    anti join named on chosen.factor_id = named.factor_id
    anti join own on chosen.factor_id = own.factor_id

    union all

    select 'factor', factor_id, null, 'normal', minus_pct, plus_pct, 'own'
    from own

    union all

    select 'factor', factor_id, null, distribution, minus_pct, plus_pct, 'profile'
    from named
    where factor_id is not null
),

final as (
    select
        ---------- ids
        subject_kind,
        subject_key,
        uncertainty_id,

        ---------- texts
        distribution,
        uncertainty_origin,

        ---------- half-widths
        cast(minus_pct as decimal(18,8)) as minus_pct,
        cast(plus_pct as decimal(18,8)) as plus_pct
    from united
)

select * from final
