{#- Every factor, coefficient and conversion in one grammar: rows of the seed, rows of the home, conversions of carriers,
    and what is computed from other rows. A formula takes its parameters from one set, by its joins; that is all that keeps
    an LHV of one set from meeting an oxidation of another. -#}
{%- set columns = [
    'factor_id', 'factor_kind', 'factor_set', 'series', 'parameter', 'carrier', 'gas', 'region_code', 'scope', 'name_zh',
    'name_en', 'valid_year', 'valid_from', 'valid_until', 'value', 'low', 'high', 'unit', 'issuer', 'document',
    'document_no', 'known_since', 'is_date_approximate', 'status', 'evidence'
] -%}
with

builds as (
    select * from {{ ref('stg_control__build') }}
),

shipped as (
    select * from {{ ref('factors') }}
),

home as (
    select * from {{ source('control', 'factors') }}
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

inventory_categories as (
    select * from {{ ref('inventory_categories') }}
),

stated as (
    select {{ columns | join(', ') }}, 'shipped' as factor_origin from shipped

    union all

    select {{ columns | join(', ') }}, 'home' from home
),

-- what formulas of district inventories are made of (core_inventory_gas)
of_inventories as (
    select
        category_id as factor_id,
        'inventory' as factor_kind,
        document_no as factor_set,
        ipcc_code as series,
        parameter,
        gas,
        region_name_zh as scope,
        name_zh,
        name_en,
        known_since as valid_from,
        value,
        low,
        high,
        unit,
        issuer,
        document,
        document_no,
        known_since,
        is_date_approximate,
        status,
        evidence,
        'shipped' as factor_origin
    from inventory_categories
    -- what no formula here is made of has a unit of its own, and stays in its table
    where value is not null and unit in (select factor_unit from factor_units)
),

-- of what a landfill gives off, the share that its cover lets through
let_through as (
    select
        * exclude (factor_origin) replace (
            'CP-REST-' || factor_id as factor_id,
            '1 - ' || parameter as parameter,
            cast(1 - value as decimal(18,8)) as value,
            null as low,
            null as high,
            'unconfirmed' as status,
            '1 - ' || factor_id as evidence
        ),
        'computed' as factor_origin
    from of_inventories
    where parameter = 'OX'
),

conversions as (
    select
        'CV-' || carrier_conversions.carrier || '-' || carrier_conversions.from_unit
            || '-' || carrier_conversions.to_unit as factor_id,
        'conversion' as factor_kind,
        carriers.carrier_name_zh || '由 ' || carrier_conversions.from_unit || ' 折算为 ' || carrier_conversions.to_unit
            as name_zh,
        carriers.carrier_name_en || ', ' || carrier_conversions.from_unit || ' to ' || carrier_conversions.to_unit
            as name_en,
        carrier_conversions.carrier,
        carrier_conversions.multiplier as value,
        carrier_conversions.to_unit || '/' || carrier_conversions.from_unit as unit,
        carrier_conversions.issuer,
        carrier_conversions.document,
        carrier_conversions.document_no,
        carrier_conversions.status,
        carrier_conversions.derivation as evidence,
        'shipped' as factor_origin
    from carrier_conversions
    left join carriers on carrier_conversions.carrier = carriers.carrier
),

-- what formulas are made of: of a value that was revised, the newest that was known at the as-of date
parameters as (
    select
        stated.*,
        factor_units.amount_unit,
        factor_units.result_unit,
        {{ exact_product('stated.value', 'factor_units.multiplier') }} as canonical_value
    from stated
    cross join builds
    inner join factor_units on stated.unit = factor_units.factor_unit
    where stated.parameter in ('lhv', 'carbon_content', 'oxidation', 'per_energy', 'ratio', 'gwp100', 'mass_share')
    qualify row_number() over (
        partition by
            stated.factor_kind, stated.factor_set, stated.series, stated.parameter, stated.carrier, stated.gas,
            stated.region_code
        order by
            stated.known_since <= builds.as_of desc, stated.valid_from desc nulls last, stated.known_since desc,
            stated.factor_id
    ) = 1
),

-- LHV x carbon content x oxidation x 44/12, or LHV x emissions per unit of heat
burned as (
    select
        heating.factor_set,
        heating.carrier,
        contents.gas,
        contents.series,
        heating.amount_unit,
        {{ exact_product(
            exact_product(exact_product('heating.canonical_value', 'contents.canonical_value'), 'oxidations.canonical_value'),
            'molar.canonical_value'
        ) }} as value,
        [heating.factor_id, contents.factor_id, oxidations.factor_id, molar.factor_id] as made_of,
        [heating.known_since, contents.known_since, oxidations.known_since] as dates,
        [heating.valid_from, contents.valid_from, oxidations.valid_from] as starts
    from parameters as heating
    inner join parameters as contents
        on heating.factor_set = contents.factor_set
        and heating.carrier = contents.carrier
        and contents.parameter = 'carbon_content'
    inner join parameters as oxidations
        on heating.factor_set = oxidations.factor_set
        and heating.carrier = oxidations.carrier
        and oxidations.parameter = 'oxidation'
    inner join parameters as molar
        on molar.factor_kind = 'constant'
        and molar.carrier = 'carbon'
        and molar.gas = 'CO2'
    where heating.factor_kind = 'fuel' and heating.parameter = 'lhv'

    union all

    select
        heating.factor_set,
        heating.carrier,
        per_energy.gas,
        per_energy.series,
        heating.amount_unit,
        {{ exact_product('heating.canonical_value', 'per_energy.canonical_value') }},
        [heating.factor_id, per_energy.factor_id],
        [heating.known_since, per_energy.known_since],
        [heating.valid_from, per_energy.valid_from]
    from parameters as heating
    inner join parameters as per_energy
        on heating.factor_set = per_energy.factor_set
        and heating.carrier = per_energy.carrier
        and per_energy.parameter = 'per_energy'
    where heating.factor_kind = 'fuel' and heating.parameter = 'lhv'
),

-- a blend has a GWP in an edition that knows all its gases
blended as (
    select
        editions.factor_set,
        shares.factor_set as blend,
        sum({{ exact_product('shares.canonical_value', 'editions.canonical_value') }}) as value,
        min(editions.scope) as scope,
        max(shares.document) as document,
        max(shares.document_no) as document_no,
        list(shares.factor_id order by shares.factor_id) || list(editions.factor_id order by editions.factor_id) as made_of,
        list(shares.known_since) || list(editions.known_since) as dates,
        list(shares.valid_from) || list(editions.valid_from) as starts
    from parameters as shares
    inner join parameters as editions
        on shares.gas = editions.gas
        and editions.parameter = 'gwp100'
    where shares.parameter = 'mass_share'
    group by editions.factor_set, shares.factor_set
    having count(*) = (
        select count(*) from parameters as parts
        where parts.parameter = 'mass_share' and parts.factor_set = shares.factor_set
    )
),

computed as (
    select
        concat_ws('-', 'CP', factor_set, carrier, gas, series) as factor_id,
        'fuel' as factor_kind,
        factor_set,
        series,
        'per_unit' as parameter,
        carrier,
        gas,
        cast(null as varchar) as scope,
        carrier || ' ' || gas || '（计算）' as name_zh,
        carrier || ', ' || gas || ', computed' as name_en,
        list_max(starts) as valid_from,
        value,
        'kg' || gas || '/' || amount_unit as unit,
        cast(null as varchar) as document,
        factor_set as document_no,
        list_max(dates) as known_since,
        array_to_string(made_of, ' x ') as evidence
    from burned

    union all

    select
        concat_ws('-', 'CP', 'GWP', factor_set, blend),
        'gwp', factor_set, null, 'gwp100', null, blend, scope, blend || '（按组成计算）', blend || ', from its composition',
        list_max(starts), value, 'kgCO2e/kg', document, document_no, list_max(dates),
        array_to_string(made_of, ' x ')
    from blended
),

united as (
    select * from stated
    union all by name
    select * from conversions
    union all by name
    select * from of_inventories
    union all by name
    select * from let_through
    union all by name
    select *, value as computed_value, true as is_date_approximate, 'unconfirmed' as status, 'computed' as factor_origin
    from computed
),

final as (
    select
        ---------- ids
        united.factor_id,
        united.factor_kind,
        united.factor_set,
        united.series,
        united.parameter,
        united.region_code,

        ---------- texts
        united.name_zh,
        united.name_en,
        united.carrier,
        united.gas,
        united.scope as factor_scope,
        united.issuer,
        united.document,
        united.document_no,
        united.status,
        united.evidence,
        united.factor_origin,

        ---------- value
        cast(united.value as decimal(18,8)) as factor_value,
        -- what a formula gave, before the rounding that readers see
        cast(united.computed_value as decimal(19,12)) as computed_value,
        cast(united.low as decimal(18,8)) as factor_value_low,
        cast(united.high as decimal(18,8)) as factor_value_high,
        united.unit as factor_unit,
        factor_units.amount_unit,
        factor_units.result_unit,
        cast(factor_units.multiplier as decimal(18,8)) as unit_multiplier,

        ---------- valid for: a year, or a span of days
        cast(united.valid_year as integer) as valid_year,
        united.valid_from,
        united.valid_until,
        cast(coalesce(united.valid_year, year(united.valid_from)) as integer) as first_valid_year,
        cast(coalesce(united.valid_year, year(united.valid_until)) as integer) as last_valid_year,

        ---------- known since
        united.known_since,

        ---------- booleans
        united.is_date_approximate
    from united
    left join factor_units on united.unit = factor_units.factor_unit
)

select * from final
