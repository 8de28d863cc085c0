{#- District inventories: what each activity gives off, as masses of gases, and what they are worth by the GWP edition of the
    profile. Beside the region's own statement stands, as a part of it and never added to it, what its public institutions
    burned and bought. -#}
with

builds as (
    select * from {{ ref('stg_control__build') }}
),

stated as (
    select * from {{ ref('stg_inventory__activities') }}
),

institution_activities as (
    select * from {{ ref('core_activity') }}
),

paths as (
    select * from {{ ref('core_region_path') }} where is_ancestor_group is not true
),

terms as (
    select * from {{ ref('inventory_terms') }}
),

categories as (
    select * from {{ ref('inventory_categories') }}
),

factors as (
    select * from {{ ref('core_factor') }}
),

electricity_factors as (
    select * from {{ ref('core_electricity_factor') }} where is_in_force
),

uncertainties as (
    select * from {{ ref('core_uncertainty') }}
),

spellings as (
    select distinct
        activity_category,
        subject,
        unnest([{{ plain_word('subject') }}, {{ plain_word('subject_name_zh') }}, {{ plain_word('subject_name_en') }}]) as word
    from terms
),

named as (
    select
        stated.*,
        coalesce(spellings.subject, stated.subject_text) as subject
    from stated
    left join spellings
        on stated.activity_category = spellings.activity_category
        and stated.subject_word = spellings.word
),

-- the newest statement of an activity stands; two of one day and release that differ are none
newest as (
    select *
    from named
    qualify rank() over (
        partition by region_code, year, activity_category, subject
        order by release_number desc, received_on desc
    ) = 1
),

of_regions as (
    select
        region_code,
        year,
        'district' as inventory_scope,
        activity_category,
        subject,
        cast(null as varchar) as known_chain,
        value_text,
        unit_text,
        amount,
        unit,
        uncertainty_pct,
        activity_source,
        path,
        sheet,
        row_number,
        count(distinct amount) over one_activity > 1 as is_stated_twice
    from newest
    window one_activity as (partition by region_code, year, activity_category, subject)
    qualify row_number() over (
        partition by region_code, year, activity_category, subject order by path, sheet, row_number
    ) = 1
),

-- fuel of vehicles is road transport; fuel that does not say which part is theirs is neither
of_one_institution as (
    select
        *,
        max(amount) filter (where is_vehicle_part) over one_fuel as vehicle_amount,
        bool_or(is_in_energy_total) over one_fuel as is_bought
    from institution_activities
    window one_fuel as (partition by institution_id_scheme, institution_id, year, base_carrier)
),

parts as (
    select
        region_code,
        year,
        case
            when is_vehicle_part then '1.A.3.b'
            when base_carrier in ('electricity', 'heat') then case base_carrier when 'heat' then '1.A-HEAT' else '1.A-EL' end
            when base_carrier in ('gasoline', 'diesel') and vehicle_amount is null then '1.A.4'
            else '1.A.4.a'
        end as activity_category,
        base_carrier as subject,
        case when base_carrier in ('electricity', 'heat') then emission_factor_id end as known_chain,
        case
            when is_deducted then -amount
            when is_in_energy_total then amount - coalesce(vehicle_amount, 0)
            else amount
        end as amount,
        unit
    from of_one_institution
    where is_bought and (is_in_energy_total or is_vehicle_part or is_deducted)
),

of_institutions as (
    select
        paths.ancestor_code as region_code,
        parts.year,
        'public_institutions' as inventory_scope,
        parts.activity_category,
        parts.subject,
        parts.known_chain,
        cast(sum(parts.amount) as decimal(18,4)) as amount,
        parts.unit
    from parts
    inner join paths on parts.region_code = paths.region_code and paths.is_ancestor_in_scope
    group by all
),

activities as (
    select * from of_regions
    union all by name
    select * from of_institutions
),

-- a row of a table by zones holds for its provinces alone
zones as (
    select
        terms.factor_chain,
        string_split(any_value(categories.province_codes), ' ') as province_codes
    from (select distinct factor_chain, unnest(string_split(factor_chain, ' x ')) as factor_id from terms) as terms
    inner join categories on terms.factor_id = categories.category_id
    where categories.province_codes is not null
    group by terms.factor_chain
),

lying_in as (
    select region_code, list(ancestor_code) as ancestor_codes from paths group by region_code
),

-- of each gas that an activity gives off: the terms of the first set that the profile names and that holds here
asked as (
    select distinct activity_category, subject, category_code, gas from terms
),

allowed as (
    select
        lying_in.region_code,
        terms.*,
        coalesce(list_position(builds.inventory_sets, terms.method_set), 0) as set_position
    from terms
    cross join builds
    cross join (select * from lying_in where region_code in (select region_code from activities)) as lying_in
    left join zones on terms.factor_chain = zones.factor_chain
    where (zones.province_codes is null or list_has_any(zones.province_codes, lying_in.ancestor_codes))
        and (list_contains(builds.inventory_sets, terms.method_set) or terms.method_set = 'by the profile')
    qualify rank() over (
        partition by lying_in.region_code, terms.activity_category, terms.subject, terms.category_code, terms.gas
        order by set_position
    ) = 1
),

termed as (
    select
        activities.*,
        asked.category_code,
        asked.gas,
        allowed.gas_origin,
        allowed.method_set,
        allowed.sign,
        coalesce(allowed.is_indirect, false) as is_indirect,
        allowed.carrier,
        allowed.activity_unit as term_unit,
        case
            when activities.known_chain is not null then activities.known_chain
            when activities.activity_category = '1.A-EL' then electricity_factors.factor_id
            when activities.activity_category = '1.A-HEAT' then builds.heat_factor
            else nullif(allowed.factor_chain, '')
        end as own_chain
    from activities
    cross join builds
    left join asked
        on activities.activity_category = asked.activity_category
        and activities.subject = asked.subject
    left join allowed
        on activities.region_code = allowed.region_code
        and asked.activity_category = allowed.activity_category
        and asked.subject = allowed.subject
        and asked.category_code = allowed.category_code
        and asked.gas = allowed.gas
    left join electricity_factors
        on activities.region_code = electricity_factors.region_code
        and activities.year = electricity_factors.year
),

-- an amount in another unit than the term's needs a conversion of its carrier, which joins the chain
chained as (
    select
        termed.*,
        termed.unit = termed.term_unit or conversions.factor_id is not null as is_convertible,
        concat_ws(' x ', termed.own_chain, conversions.factor_id) as factor_chain
    from termed
    left join factors as conversions
        on conversions.factor_id = 'CV-' || termed.carrier || '-' || termed.unit || '-' || termed.term_unit
        and termed.unit <> termed.term_unit
),

links as (
    select
        factor_chain,
        unnest(string_split(factor_chain, ' x ')) as factor_id,
        unnest(range(len(string_split(factor_chain, ' x ')))) as place
    from (select distinct factor_chain from chained where own_chain is not null)
),

-- kilograms of gas per unit: parts of twelve decimals, each product kept with twelve
chains as (
    select
        links.factor_chain,
        list_reduce(
            list({{ exact_product('factors.factor_value', 'coalesce(factors.unit_multiplier, 1)') }} order by links.place),
            lambda one, other: cast(
                cast(one as decimal(19,12)) * cast(other as decimal(19,12)) as decimal(19,12)
            )
        ) as per_unit,
        -- the emission factors of carriers are per tonne, what inventories are made of is per kilogram
        case when bool_or(factors.result_unit = 'tCO2') then cast(1000 as decimal(18,8)) else cast(1 as decimal(18,8)) end
            as kilograms,
        bool_or(factors.status = 'unconfirmed') as is_unconfirmed
    from links
    inner join factors on links.factor_id = factors.factor_id
    group by links.factor_chain
    having count(*) = max(len(string_split(links.factor_chain, ' x ')))
),

-- of a value that was revised, the newest that was known at the as-of date
potentials as (
    select factors.*
    from factors
    inner join builds on factors.factor_set = builds.gwp_edition
    where factors.factor_kind = 'gwp'
    qualify row_number() over (
        partition by factors.gas
        order by factors.known_since <= builds.as_of desc, factors.known_since desc, factors.factor_id
    ) = 1
),

massed as (
    select
        chained.*,
        chains.is_unconfirmed,
        cast(chains.per_unit * chains.kilograms as decimal(19,12)) as gas_kg_per_unit,
        cast(
            cast(chained.sign * chained.amount as decimal(19,4))
            * cast(chains.per_unit * chains.kilograms as decimal(19,12)) as decimal(38,12)
        ) as gas_mass_kg
    from chained
    left join chains
        on chained.factor_chain = chains.factor_chain
        and chained.is_convertible
        and not coalesce(chained.is_stated_twice, false)
),

-- an edition that tells methane by its origin is asked for it; a gas that it does not know has none from another
weighed as (
    select
        massed.*,
        coalesce(of_origin.factor_id, of_gas.factor_id) as gwp_factor_id,
        coalesce(of_origin.factor_value, of_gas.factor_value) as gwp_kgco2e_kg,
        coalesce(of_origin.factor_scope, of_gas.factor_scope) = 'kyoto' as is_in_basket,
        cast(
            cast(massed.gas_mass_kg as decimal(26,12))
            * cast(coalesce(of_origin.factor_value, of_gas.factor_value) * 0.001 as decimal(12,8)) as decimal(38,12)
        ) as emissions_tco2e
    from massed
    left join potentials as of_origin on massed.gas || '_' || massed.gas_origin = of_origin.gas
    left join potentials as of_gas on massed.gas = of_gas.gas
),

halved as (
    select
        weighed.*,
        {{ half_width(size_tco2('weighed.emissions_tco2e'), 'coalesce(weighed.uncertainty_pct, uncertainties.minus_pct)') }}
            as activity_minus_tco2e,
        {{ half_width(size_tco2('weighed.emissions_tco2e'), 'coalesce(weighed.uncertainty_pct, uncertainties.plus_pct)') }}
            as activity_plus_tco2e
    from weighed
    left join uncertainties
        on uncertainties.subject_kind = 'activity'
        and 'inventory ' || weighed.activity_category = uncertainties.subject_key
),

final as (
    select
        ---------- ids
        region_code,
        year,
        inventory_scope,
        coalesce(category_code, activity_category) as category_code,
        activity_category,
        subject,
        gas,

        ---------- place
        path,
        sheet,
        row_number,

        ---------- texts
        activity_source,
        value_text,
        unit_text,
        method_set,
        case when gas_kg_per_unit is not null then factor_chain end as factor_chain,
        case when gas_kg_per_unit is not null then gwp_factor_id end as gwp_factor_id,
        case
            when category_code is null then 'unknown_activity'
            when is_stated_twice then 'stated_twice'
            when own_chain is null then 'factor_missing'
            when not is_convertible or amount is null then 'unit_not_convertible'
            when gas_kg_per_unit is null then 'factor_missing'
            when gwp_factor_id is null then 'gwp_missing'
        end as missing_reason,

        ---------- amounts
        amount as activity_amount,
        unit,
        gas_kg_per_unit,
        gas_mass_kg,
        case when gas_kg_per_unit is not null then gwp_kgco2e_kg end as gwp_kgco2e_kg,
        emissions_tco2e,
        {{ squared('activity_minus_tco2e') }} as activity_minus_squared,
        {{ squared('activity_plus_tco2e') }} as activity_plus_squared,

        ---------- booleans
        activity_minus_tco2e is not null and activity_plus_tco2e is not null as is_activity_known,
        is_indirect,
        coalesce(is_in_basket, true) as is_in_basket,
        coalesce(is_unconfirmed, false) as has_unconfirmed_factor
    from halved
)

select * from final
