{#- What meters and audits say of an institution, carrier and period, beside what it reports: years, and months where there are.
    Nothing is chosen here and nothing averaged. -#}
with

years as (
    select * from {{ ref('core_meter_year') }}
),

read_months as (
    select * from {{ ref('core_meter_month') }}
),

virtual_months as (
    select * from {{ ref('core_virtual_meter_month') }}
),

items as (
    select * from {{ ref('metering_items') }}
),

carrier_conversions as (
    select * from {{ ref('carrier_conversions') }}
),

buildings as (
    select * from {{ ref('core_building') }} where institution_id is not null
),

audited as (
    select * from {{ ref('core_audit_value') }} where measure = 'amount'
),

institutions as (
    select * from {{ ref('core_institution') }}
),

register as (
    select * from {{ ref('core_institution_register') }}
),

limits as (
    select * from {{ ref('method_limits') }}
),

-- audits and buildings name an institution without the scheme of its code
known as (
    select institution_id, min(institution_id_scheme) as institution_id_scheme
    from (
        select institution_id, institution_id_scheme from institutions
        union
        select institution_id, institution_id_scheme from register where not is_superseded
    )
    group by institution_id
),

estates as (
    select
        institution_id,
        count(*) as n_buildings,
        case when count(*) = count(floor_area_m2) then sum(floor_area_m2) end as buildings_area_m2
    from buildings
    group by institution_id
),

---------- meters: what counts in a building, totals only, since parts are in them

counted as (
    select years.*, items.canonical_unit
    from years
    inner join items on years.item_code = items.item_code and items.parent_code is null
    where years.is_counted_in_building and years.amount is not null
),

building_years as (
    select
        counted.building_code,
        counted.carrier,
        counted.year,
        any_value(counted.canonical_unit) as unit,
        sum(counted.amount) as amount,
        min(counted.coverage_share) as coverage_share
    from counted
    group by counted.building_code, counted.carrier, counted.year
),

months as (
    select building_code, meter_id, item_code, year, month, reported_unit, reported_amount from read_months
    union all by name
    select building_code, meter_id, item_code, year, month, reported_unit, reported_amount from virtual_months
),

building_months as (
    select
        counted.building_code,
        counted.carrier,
        counted.year,
        months.month,
        any_value(counted.canonical_unit) as unit,
        sum({{ converted(
            'months.reported_amount', '1',
            'case when months.reported_unit = counted.canonical_unit then 1 else carrier_conversions.multiplier end'
        ) }}) as amount
    from months
    inner join counted
        on months.building_code = counted.building_code
        and months.meter_id is not distinct from counted.meter_id
        and months.item_code = counted.item_code
        and months.year = counted.year
        and months.reported_unit = counted.reported_unit
    left join carrier_conversions
        on counted.carrier = carrier_conversions.carrier
        and months.reported_unit = carrier_conversions.from_unit
        and counted.canonical_unit = carrier_conversions.to_unit
    where months.reported_amount is not null
    group by counted.building_code, counted.carrier, counted.year, months.month
),

metered_months as (
    select
        buildings.institution_id,
        building_months.carrier,
        building_months.year,
        building_months.month,
        any_value(building_months.unit) as unit,
        sum(building_months.amount) as amount,
        count(*) as n_metered_buildings
    from building_months
    inner join buildings using (building_code)
    group by buildings.institution_id, building_months.carrier, building_months.year, building_months.month
),

metered_years as (
    select
        buildings.institution_id,
        building_years.carrier,
        building_years.year,
        any_value(building_years.unit) as unit,
        sum(building_years.amount) as amount,
        min(building_years.coverage_share) as coverage_share,
        count(*) as n_metered_buildings,
        coalesce(
            sum(buildings.floor_area_m2) filter (where building_years.coverage_share >= limits.limit_value), 0
        ) as metered_area_m2
    from building_years
    inner join buildings using (building_code)
    inner join limits on limits.limit_key = 'metered_whole_period_min_share'
    group by buildings.institution_id, building_years.carrier, building_years.year
),

-- months in which every building that has meters of the carrier has an amount
whole_months as (
    select
        metered_months.institution_id,
        metered_months.carrier,
        metered_months.year,
        count(*) filter (where metered_months.n_metered_buildings = metered_years.n_metered_buildings) as months_metered
    from metered_months
    inner join metered_years using (institution_id, carrier, year)
    group by metered_months.institution_id, metered_months.carrier, metered_months.year
),

metered as (
    select
        metered_years.*,
        'year' as period_kind,
        0 as period_index,
        whole_months.months_metered
    from metered_years
    left join whole_months using (institution_id, carrier, year)

    union all by name

    select
        * exclude (month),
        'month' as period_kind,
        month as period_index
    from metered_months
),

---------- audits

audits as (
    select
        institution_id,
        carrier,
        year,
        period_kind,
        period_index,
        sum(amount) as amount,
        any_value(unit) as unit,
        min(struct_pack(p := path, s := sheet, r := row_number, c := column_number, f := file_id)) as place
    from audited
    group by institution_id, carrier, year, period_kind, period_index
),

joined as (
    select
        institution_id,
        carrier,
        year,
        period_kind,
        period_index,
        coalesce(metered.unit, audits.unit) as unit,
        metered.amount as metered_amount,
        metered.coverage_share as metered_coverage_share,
        metered.n_metered_buildings,
        metered.metered_area_m2,
        metered.months_metered,
        audits.amount as audited_amount,
        audits.place
    from metered
    full join audits using (institution_id, carrier, year, period_kind, period_index)
),

final as (
    select
        ---------- ids
        known.institution_id_scheme,
        joined.institution_id,
        joined.carrier,

        ---------- period
        cast(joined.year as integer) as year,
        joined.period_kind,
        cast(joined.period_index as integer) as period_index,

        ---------- amounts
        joined.unit,
        cast(joined.metered_amount as decimal(18,4)) as metered_amount,
        cast(joined.audited_amount as decimal(18,4)) as audited_amount,

        ---------- how much of the institution meters see
        joined.metered_coverage_share,
        {{ ratio('joined.metered_area_m2', 'estates.buildings_area_m2') }} as metered_area_share,
        cast(joined.n_metered_buildings as bigint) as n_metered_buildings,
        cast(estates.n_buildings as bigint) as n_registered_buildings,
        cast(joined.months_metered as bigint) as n_months_metered,

        ---------- place of the audited cell
        joined.place.f as file_id,
        joined.place.p as path,
        joined.place.s as sheet,
        cast(joined.place.r as integer) as row_number,
        cast(joined.place.c as integer) as column_number
    from joined
    inner join known using (institution_id)
    left join estates using (institution_id)
)

select * from final
