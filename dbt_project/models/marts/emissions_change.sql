{#- Why emissions of a region changed between two years: more or less energy (activity), other carriers and types of institutions
    (structure), other factors. Additive LMDI-I over carriers and institution types (definition 21). Activity is energy at its
    calorific equivalent: its coefficients do not move, so that the factor effect is that of emission factors alone. -#}

with

builds as (
    select * from {{ ref('stg_control__build') }}
),

activities as (
    select * from {{ ref('core_activity') }}
),

institutions as (
    select * from {{ ref('institution_year') }}
),

regions as (
    select * from {{ ref('stg_control__regions') }} where is_in_scope
),

paths as (
    select * from {{ ref('core_region_path') }} where is_ancestor_in_scope
),

years as (
    select distinct year from institutions
),

-- each year against the one before, and against the base year
pairs as (
    select
        earlier.year as from_year,
        later.year
    from years as later
    cross join builds
    inner join years as earlier
        on earlier.year = later.year - 1
        or (earlier.year = builds.base_year and earlier.year < later.year)
),

-- a like-for-like institution counts in both years where it lies in the later one
members as (
    select
        'reported' as population,
        pairs.from_year,
        pairs.year as to_year,
        institutions.year,
        institutions.institution_id_scheme,
        institutions.institution_id,
        institutions.institution_type_code,
        institutions.region_code
    from pairs
    inner join institutions on institutions.year in (pairs.from_year, pairs.year)

    union all

    select
        'like_for_like',
        pairs.from_year,
        pairs.year,
        either.year,
        either.institution_id_scheme,
        either.institution_id,
        either.institution_type_code,
        later.region_code
    from pairs
    inner join institutions as earlier on earlier.year = pairs.from_year
    inner join institutions as later
        on later.year = pairs.year
        and later.institution_id_scheme = earlier.institution_id_scheme
        and later.institution_id = earlier.institution_id
    inner join institutions as either
        on either.institution_id_scheme = later.institution_id_scheme
        and either.institution_id = later.institution_id
        and either.year in (pairs.from_year, pairs.year)
    where {{ is_alike('earlier', 'later') }}
),

-- what has an emission factor, less what was passed on
used as (
    select
        institution_id_scheme,
        institution_id,
        year,
        base_carrier,
        case when is_deducted then -energy_equivalent_kgce else energy_equivalent_kgce end as energy_kgce,
        case when is_deducted then -emissions_tco2 else emissions_tco2 end as emissions_tco2
    from activities
    where emissions_tco2 is not null
        and (is_in_energy_total or is_deducted)
),

-- exact sums by carrier and type; a cell that one of the years lacks is zero there
cells as (
    select
        paths.ancestor_code as region_code,
        members.population,
        members.from_year,
        members.to_year,
        used.base_carrier,
        coalesce(members.institution_type_code, '') as institution_type_code,
        coalesce(sum(used.energy_kgce) filter (where members.year = members.from_year), 0) as energy_from_kgce,
        coalesce(sum(used.energy_kgce) filter (where members.year = members.to_year), 0) as energy_to_kgce,
        coalesce(sum(used.emissions_tco2) filter (where members.year = members.from_year), 0) as emissions_from_tco2,
        coalesce(sum(used.emissions_tco2) filter (where members.year = members.to_year), 0) as emissions_to_tco2
    from members
    inner join used
        on members.institution_id_scheme = used.institution_id_scheme
        and members.institution_id = used.institution_id
        and members.year = used.year
    inner join paths on members.region_code = paths.region_code
        and {{ holds_at_year_end('paths', 'members.to_year') }}
    group by all
),

totalled as (
    select
        *,
        sum(energy_from_kgce) over whole as energy_of_all_from_kgce,
        sum(energy_to_kgce) over whole as energy_of_all_to_kgce,
        case
            when energy_of_all_from_kgce <= 0 or energy_of_all_to_kgce <= 0 then 'activity'
            when energy_from_kgce <= 0 or energy_to_kgce <= 0 then 'structure'
            when emissions_from_tco2 <= 0 or emissions_to_tco2 <= 0 then 'factor'
        end as only_effect
    from cells
    window whole as (partition by region_code, population, from_year, to_year)
),

-- the analytic limit of a cell that begins or ends: all of its change is the effect that was, or became, nothing
weighted as (
    select
        *,
        cast(emissions_to_tco2 - emissions_from_tco2 as double) as change,
        case when only_effect is null then {{ log_of_ratio('emissions_to_tco2', 'emissions_from_tco2') }} end
            as log_of_emissions,
        case
            when only_effect is not null then null
            when log_of_emissions = 0 then cast(emissions_from_tco2 as double)
            else {{ ratio('change', 'log_of_emissions') }}
        end as mean_emissions,
        case when only_effect is null
            then {{ log_of_ratio('energy_of_all_to_kgce', 'energy_of_all_from_kgce') }} end as log_of_activity,
        case when only_effect is null then {{ log_of_ratio('energy_to_kgce', 'energy_from_kgce') }} end as log_of_energy
    from totalled
),

-- a share moves as its energy does beyond the whole, a factor as its emissions do beyond their energy
parted as (
    select
        *,
        log_of_energy - log_of_activity as log_of_structure,
        log_of_emissions - log_of_energy as log_of_factor
    from weighted
),

effects as (
    select
        *,
        {%- for effect in ['activity', 'structure', 'factor'] %}
        case
            when only_effect is null then mean_emissions * log_of_{{ effect }}
            when only_effect = '{{ effect }}' then change
            else 0
        end as {{ effect }}_effect{{ ',' if not loop.last }}
        {%- endfor %}
    from parted
),

-- doubles are added in one order, whatever the order and the threads they came in
summed as (
    select
        region_code,
        population,
        from_year,
        to_year,
        sum(emissions_from_tco2) as emissions_from_tco2,
        sum(emissions_to_tco2) as emissions_to_tco2,
        {%- for effect in ['activity', 'structure', 'factor'] %}
        list_sum(list({{ effect }}_effect order by base_carrier, institution_type_code)) as change_by_{{ effect }}_tco2{{ ',' if not loop.last }}
        {%- endfor %}
    from effects
    group by region_code, population, from_year, to_year
),

final as (
    select
        ---------- ids
        regions.region_code,
        regions.region_name_zh,
        cast(summed.from_year as integer) as from_year,
        cast(summed.to_year as integer) as year,
        summed.population,
        'equivalent' as coal_basis,

        ---------- sums
        cast(summed.emissions_from_tco2 as decimal(38,12)) as emissions_from_tco2,
        cast(summed.emissions_to_tco2 as decimal(38,12)) as emissions_total_tco2,
        cast(summed.emissions_to_tco2 - summed.emissions_from_tco2 as decimal(38,12)) as emissions_change_tco2,

        ---------- effects
        summed.change_by_activity_tco2,
        summed.change_by_structure_tco2,
        summed.change_by_factor_tco2,
        cast(summed.emissions_to_tco2 - summed.emissions_from_tco2 as double)
            - (summed.change_by_activity_tco2 + summed.change_by_structure_tco2 + summed.change_by_factor_tco2) as change_unexplained_tco2
    from summed
    inner join regions on summed.region_code = regions.region_code
)

select * from final
