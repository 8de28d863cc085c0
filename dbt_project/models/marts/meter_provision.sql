{#- Meters that an institution needs and has (计量器具配备率), by year, carrier and level, and the same of its regions. What is
    needed is stated; what is fitted is stated too, else counted in the register of meters on 31 December. -#}
with

stated as (
    select * from {{ ref('stg_registers__meter_provision') }}
    qualify row_number() over (
        partition by institution_id, year, carrier, meter_level
        order by as_of desc nulls last, path, sheet, row_number
    ) = 1
),

tree as (
    select * from {{ ref('core_meter_tree') }} where meter_level is not null and not is_virtual
),

buildings as (
    select * from {{ ref('core_building') }}
),

items as (
    select * from {{ ref('metering_items') }}
),

institutions as (
    select * from {{ ref('core_institution_register') }} where not is_superseded
),

paths as (
    select * from {{ ref('core_region_path') }} where is_ancestor_in_scope
),

targets as (
    select * from {{ ref('meter_provision_targets') }}
),

years as (
    select year from {{ ref('core_institution') }}
    union
    select year from stated
),

registered as (
    select
        coalesce(tree.institution_id, buildings.institution_id) as institution_id,
        years.year,
        items.carrier,
        tree.meter_level,
        count(distinct (tree.building_code, tree.meter_id)) as n_meters_registered
    from tree
    inner join years on make_date(years.year, 12, 31) between tree.valid_from and tree.valid_to
    inner join items on tree.item_code = items.item_code
    left join buildings on tree.building_code = buildings.building_code
    where coalesce(tree.institution_id, buildings.institution_id) is not null
    group by all
),

-- where the register says that an institution lies on 31 December, and whether it is a key user
described as (
    select
        years.year,
        institutions.institution_id,
        institutions.region_code,
        coalesce(institutions.is_key_energy_user, false) as is_key_energy_user
    from years
    inner join institutions on {{ holds_at_year_end('institutions', 'years.year') }}
    qualify row_number() over (
        partition by years.year, institutions.institution_id
        order by institutions.valid_from, institutions.path, institutions.row_number
    ) = 1
),

of_institutions as (
    select
        institution_id,
        year,
        carrier,
        meter_level,
        described.region_code,
        described.is_key_energy_user,
        stated.n_meters_required,
        coalesce(stated.n_meters_fitted, registered.n_meters_registered) as n_meters_fitted,
        registered.n_meters_registered,
        -- what one has too many meters of fills no gap elsewhere
        least(stated.n_meters_required, coalesce(stated.n_meters_fitted, registered.n_meters_registered, 0))
            as n_meters_counted,
        stated.path,
        stated.row_number
    from stated
    full join registered using (institution_id, year, carrier, meter_level)
    left join described using (institution_id, year)
),

of_regions as (
    select
        paths.ancestor_code as region_code,
        of_institutions.year,
        of_institutions.carrier,
        of_institutions.meter_level,
        sum(of_institutions.n_meters_required) as n_meters_required,
        sum(of_institutions.n_meters_fitted) as n_meters_fitted,
        sum(of_institutions.n_meters_registered) as n_meters_registered,
        sum(of_institutions.n_meters_counted) as n_meters_counted
    from of_institutions
    inner join paths
        on of_institutions.region_code = paths.region_code
        and {{ holds_at_year_end('paths', 'of_institutions.year') }}
    where of_institutions.n_meters_required is not null
    group by all
),

united as (
    select 'institution' as provision_subject, institution_id as subject_code, * from of_institutions
    union all by name
    select 'region' as provision_subject, region_code as subject_code, * from of_regions
),

aimed as (
    select
        united.*,
        arg_max(targets.target_id, (targets.required_share, targets.target_id)) as target_id,
        max(targets.required_share) as required_share
    from united
    left join targets
        on united.meter_level = targets.meter_level
        and (targets.carrier is null or united.carrier = targets.carrier)
        and united.provision_subject = 'institution'
        and (united.is_key_energy_user or not targets.is_for_key_users)
    group by all
),

final as (
    select
        ---------- ids
        provision_subject,
        subject_code,
        cast(year as integer) as year,
        carrier,
        cast(meter_level as integer) as meter_level_number,
        region_code,

        ---------- counts
        cast(n_meters_required as bigint) as n_meters_required,
        cast(n_meters_fitted as bigint) as n_meters_fitted,
        cast(n_meters_registered as bigint) as n_meters_registered,

        ---------- shares
        {{ ratio('n_meters_counted', 'n_meters_required') }} as provision_share,
        target_id as provision_requirement_id,
        cast(required_share as double) as provision_required_share,

        ---------- booleans
        is_key_energy_user,
        {{ ratio('n_meters_counted', 'n_meters_required') }} >= required_share as is_provision_met,

        ---------- place of what is stated
        path,
        cast(row_number as integer) as row_number
    from aimed
)

select * from final
