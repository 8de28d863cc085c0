{#- Which edition of the GWP stands behind an inventory that states gases both by mass and as CO2 equivalent: the quotient of
    the two is the GWP that was used. One gas may not tell: HFC-134a is 1300 in SAR and in AR5. -#}
with

stated as (
    select * from {{ ref('stg_energy_audit__values') }}
    where measure in ('gas_mass', 'gas_co2e') and amount > 0
),

factors as (
    select * from {{ ref('core_factor') }} where factor_kind = 'gwp'
),

limits as (
    select
        max(limit_value) filter (where limit_key = 'gwp_match_tolerance_share') as tolerance_share,
        max(limit_value) filter (where limit_key = 'gwp_verdict_min_gases') as min_gases
    from {{ ref('method_limits') }}
),

-- kilograms of CO2e per kilogram of gas; a ratio, never summed
implied as (
    select
        path,
        institution_id,
        year,
        carrier as gas,
        min(row_number) as row_number,
        {{ ratio("sum(amount) filter (where measure = 'gas_co2e')", "sum(amount) filter (where measure = 'gas_mass')") }}
            * max(units.multiplier) as gwp_ratio
    from stated
    inner join {{ ref('unit_conversions') }} as units on units.unit_text = 't' and units.canonical_unit = 'kg'
    where period_kind = 'year'
    group by path, institution_id, year, carrier
    having count(distinct measure) = 2
),

-- an edition may know a gas by several values: methane with and without its origin
matched as (
    select distinct
        implied.path,
        implied.institution_id,
        implied.year,
        implied.gas,
        factors.factor_set as edition
    from implied
    cross join limits
    inner join factors
        on (implied.gas = factors.gas or starts_with(factors.gas, implied.gas || '_'))
        and abs(implied.gwp_ratio - factors.factor_value) <= factors.factor_value * limits.tolerance_share
),

gases as (
    select
        implied.*,
        matched.editions
    from implied
    left join (
        select path, institution_id, year, gas, string_agg(edition, ' ' order by edition) as editions
        from matched
        group by path, institution_id, year, gas
    ) as matched using (path, institution_id, year, gas)
),

inventories as (
    select
        path,
        institution_id,
        year,
        min(row_number) as row_number,
        count(*) as n_gases,
        bool_or(gas in ('CH4', 'N2O')) as has_telling_gas,
        bool_or(editions is null) as has_unknown_gwp,
        string_agg(
            gas || ' ' || printf('%.1f', gwp_ratio) || ' (' || coalesce(editions, '?') || ')', '; ' order by gas
        ) as found
    from gases
    group by path, institution_id, year
),

-- editions that every gas of the inventory agrees with
common as (
    select path, institution_id, year, edition
    from matched
    inner join inventories using (path, institution_id, year)
    group by path, institution_id, year, edition, inventories.n_gases
    having count(*) = inventories.n_gases
),

agreed as (
    select path, institution_id, year, count(*) as n_editions, min(edition) as edition
    from common
    group by path, institution_id, year
),

final as (
    select
        ---------- ids
        inventories.path,
        inventories.institution_id,
        inventories.year,

        ---------- place
        inventories.row_number,

        ---------- texts
        inventories.found as gwp_found,
        case
            when inventories.has_unknown_gwp then 'unknown'
            when agreed.n_editions is null then 'mixed'
            when agreed.n_editions > 1 then 'undecided'
            when not inventories.has_telling_gas and inventories.n_gases < limits.min_gases then 'undecided'
            else 'identified'
        end as gwp_verdict,
        case
            when agreed.n_editions = 1
                and (inventories.has_telling_gas or inventories.n_gases >= limits.min_gases) then agreed.edition
        end as gwp_edition,

        ---------- counts
        inventories.n_gases
    from inventories
    cross join limits
    left join agreed using (path, institution_id, year)
)

select * from final
