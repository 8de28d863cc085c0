{#- District inventories by activity and gas: amount, factor rows, mass, CO2 equivalent by the edition of the profile, and
    how far it may lie from the figure (approach 1). -#}
{%- set keys = 'region_code, year, inventory_scope, category_code, activity_category, subject, gas' %}

with

builds as (
    select * from {{ ref('stg_control__build') }}
),

gases as (
    select * from {{ ref('core_inventory_gas') }}
),

regions as (
    select * from {{ ref('stg_control__regions') }} where is_in_scope
),

names as (
    select distinct activity_category, subject, subject_name_zh, subject_name_en from {{ ref('inventory_terms') }}
),

uncertainties as (
    select * from {{ ref('core_uncertainty') }}
),

-- errors of institutions are those of their own figures, not of this part of the inventory
terms as (
    select {{ keys }}, factor_chain, emissions_tco2e as emissions_tco2, activity_minus_squared, activity_plus_squared, is_activity_known
    from gases
    where inventory_scope = 'district' and missing_reason is null
),

{{ uncertainty_causes(keys) }},

{{ uncertainty_bounds(keys) }},

-- a formula may have two terms: nitrogen that is blown away and nitrogen that is washed out
summed as (
    select
        {{ keys }},
        any_value(path) as path,
        any_value(sheet) as sheet,
        any_value(row_number) as row_number,
        any_value(activity_source) as activity_source,
        any_value(value_text) as value_text,
        any_value(unit_text) as unit_text,
        min(activity_amount) as activity_amount,
        any_value(unit) as unit,
        any_value(method_set) as method_set,
        string_agg(distinct factor_chain, ' + ' order by factor_chain) as factor_chain,
        any_value(gwp_factor_id) as gwp_factor_id,
        min(gwp_kgco2e_kg) as gwp_kgco2e_kg,
        min(missing_reason) as missing_reason,
        case when count(*) = count(gas_mass_kg) then cast(sum(gas_mass_kg) as decimal(38,12)) end as gas_mass_kg,
        case when count(*) = count(emissions_tco2e) then cast(sum(emissions_tco2e) as decimal(38,12)) end
            as emissions_tco2e,
        bool_or(is_indirect) as is_indirect,
        bool_and(is_in_basket) as is_in_basket,
        bool_or(has_unconfirmed_factor) as has_unconfirmed_factor
    from gases
    group by {{ keys }}
),

final as (
    select
        ---------- ids
        summed.region_code,
        summed.year,
        summed.inventory_scope,
        summed.category_code,
        summed.activity_category,
        summed.subject,
        names.subject_name_zh,
        names.subject_name_en,
        -- what no term knows gives off nobody knows what
        coalesce(summed.gas, 'unknown') as gas,

        ---------- place
        summed.path,
        summed.sheet,
        summed.row_number,
        summed.activity_source,

        ---------- activity
        summed.value_text,
        summed.unit_text,
        summed.activity_amount,
        summed.unit,

        ---------- method
        summed.method_set,
        summed.factor_chain,
        builds.gwp_edition,
        summed.gwp_factor_id,
        summed.gwp_kgco2e_kg,
        summed.missing_reason,

        ---------- gas and carbon
        summed.gas_mass_kg,
        summed.emissions_tco2e,
        {{ low_end('summed.emissions_tco2e', 'bounds.minus_tco2') }} as emissions_low_tco2e,
        cast(summed.emissions_tco2e as double) + bounds.plus_tco2 as emissions_high_tco2e,
        {{ uncertainty_state('summed.emissions_tco2e', 'bounds.minus_tco2', 'bounds.bounds_state') }} as uncertainty_state,

        ---------- booleans
        summed.is_indirect,
        summed.is_in_basket,
        summed.has_unconfirmed_factor
    from summed
    cross join builds
    inner join regions on summed.region_code = regions.region_code
    left join names
        on summed.activity_category = names.activity_category
        and summed.subject = names.subject
    left join bounds
        on summed.region_code = bounds.region_code
        and summed.year = bounds.year
        and summed.inventory_scope = bounds.inventory_scope
        and summed.category_code = bounds.category_code
        and summed.activity_category = bounds.activity_category
        and summed.subject = bounds.subject
        and summed.gas = bounds.gas
)

select * from final
