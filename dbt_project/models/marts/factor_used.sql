{#- Every factor, coefficient and conversion that a published figure of this build rests on, with its source. -#}
with

factors as (
    select * from {{ ref('core_factor') }}
),

activities as (
    select * from {{ ref('core_activity') }}
),

meters as (
    select * from {{ ref('core_meter_year') }}
),

buildings as (
    select * from {{ ref('building_year') }}
),

institutions as (
    select * from {{ ref('institution_year') }}
),

carrier_factors as (
    select * from {{ ref('core_carrier_factor') }}
),

inventory_gases as (
    select * from {{ ref('core_inventory_gas') }} where missing_reason is null
),

-- one use is one institution, or one building, in one year
uses as (
    {%- for column, figure in {
        'equivalent_factor_id': 'energy_equivalent',
        'primary_factor_id': 'energy_primary',
        'emission_factor_id': 'emissions',
        'conversion_id': 'amounts',
        'coal_conversion_id': 'energy_equivalent'
    }.items() %}
    select
        {{ column }} as factor_id,
        'institution_year' as used_in,
        '{{ figure }}' as figure,
        institution_id_scheme || ' ' || institution_id as user_key,
        year
    from activities

    union all
    {% endfor %}
    select market_factor_id, 'institution_year', 'emissions_market_based', institution_id_scheme || ' ' || institution_id, year
    from institutions

    union all

    select coal_conversion_id, 'institution_year', 'energy_primary', institution_id_scheme || ' ' || institution_id, year
    from activities

    union all

    select unnest(string_split(factor_chain, ' x ')), 'inventory_year', 'emissions', concat_ws(' ', region_code, category_code, subject), year
    from inventory_gases

    union all

    select gwp_factor_id, 'inventory_year', 'emissions', concat_ws(' ', region_code, category_code, subject), year
    from inventory_gases

    union all

    select conversion_id, 'building_year', 'amounts', building_code, year
    from meters

    union all

    select electricity_factor_id, 'building_year', 'emissions', building_code, year
    from buildings
    where emissions_electricity_tco2 is not null

    union all

    select
        carrier_factors.factor_id,
        'building_year',
        case carrier_factors.purpose
            when 'standard_coal_equivalent' then 'energy_equivalent'
            when 'standard_coal_primary' then 'energy_primary'
            else 'emissions'
        end,
        buildings.building_code,
        buildings.year
    from buildings
    inner join carrier_factors
        on buildings.year = carrier_factors.year
        and (
            (carrier_factors.carrier = 'electricity' and buildings.electricity_kwh is not null)
            or (carrier_factors.carrier = 'natural_gas' and buildings.natural_gas_m3 is not null)
        )
),

counted as (
    select
        factor_id,
        used_in,
        string_agg(distinct figure, ', ' order by figure) as figures,
        count(distinct (user_key, year)) as n_uses
    from uses
    where factor_id is not null
    group by all
),

final as (
    select
        ---------- ids
        factors.factor_id,
        factors.factor_kind,
        factors.name_zh,
        factors.name_en,

        ---------- value
        factors.factor_value,
        factors.factor_unit,
        factors.valid_year,
        factors.valid_from,

        ---------- source
        factors.known_since,
        factors.is_date_approximate,
        factors.issuer,
        factors.document,
        factors.document_no,
        factors.status,
        factors.evidence,
        factors.factor_origin,

        ---------- use
        counted.used_in,
        counted.figures,
        counted.n_uses
    from counted
    inner join factors on counted.factor_id = factors.factor_id
)

select * from final
