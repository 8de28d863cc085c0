-- The accounting of a province by hand: the joins and sums alone, with the number types of the product. It knows no annual return
-- beside the months, no quarters, no places of cells and no reasons, and writes two tables: institutions and regions.

-- one row per institution, year and carrier
create or replace temp table used as
select institution_id, year, carrier, cast(sum(amount) as decimal(18,4)) as amount
from core.core_direct_report_cells
where cell_state = 'used' and form_role in ('return', 'supplement') and measure = 'amount'
group by all;

-- what a carrier takes in a region and year: coefficients, rows, half-widths in percent
create or replace temp table taken as
with coefficients as (
    select
        year,
        carrier,
        max(result_per_unit) filter (where purpose = 'standard_coal_equivalent') as equivalent,
        max(result_per_unit) filter (where purpose = 'standard_coal_primary') as "primary",
        max(result_per_unit) filter (where purpose in ('direct_emissions', 'heat_emissions')) as emission,
        max(factor_id) filter (where purpose in ('direct_emissions', 'heat_emissions')) as factor_id,
        max(conversion_id) filter (where purpose in ('direct_emissions', 'heat_emissions')) as conversion_id
    from core.core_carrier_factor
    group by all
)
select
    years.year,
    paths.region_code,
    carriers.carrier,
    carriers.is_in_energy_total,
    carriers.is_deducted,
    coefficients.equivalent,
    coefficients.primary,
    coalesce(coefficients.emission, grids.tco2_per_kwh) as emission,
    coalesce(frozen.emission, frozen_grids.tco2_per_kwh) as frozen,
    coalesce(coefficients.factor_id, grids.factor_id) as factor_id,
    coefficients.conversion_id,
    case when carriers.base_carrier in ('electricity', 'heat') then carriers.base_carrier else 'direct' end as kind,
    activities.minus_pct,
    activities.plus_pct
from (select distinct region_code from core.core_region_path) as paths
cross join (select distinct year from core.core_institution) as years
cross join seeds.carriers as carriers
cross join staging.stg_control__build as builds
left join coefficients on years.year = coefficients.year and carriers.base_carrier = coefficients.carrier
left join coefficients as frozen on builds.base_year = frozen.year and carriers.base_carrier = frozen.carrier
left join core.core_electricity_factor as grids
    on years.year = grids.year and paths.region_code = grids.region_code
    and carriers.base_carrier = 'electricity' and grids.is_in_force
left join core.core_electricity_factor as frozen_grids
    on builds.base_year = frozen_grids.year and paths.region_code = frozen_grids.region_code
    and carriers.base_carrier = 'electricity' and frozen_grids.is_in_force
left join core.core_uncertainty as activities
    on activities.subject_kind = 'activity' and activities.subject_key = 'reported ' || carriers.base_carrier;

create or replace temp table worth as
select
    used.institution_id,
    used.year,
    used.carrier,
    institutions.region_code,
    taken.kind,
    taken.is_in_energy_total,
    taken.factor_id,
    taken.conversion_id,
    taken.minus_pct,
    taken.plus_pct,
    used.amount,
    cast(cast(used.amount as decimal(19,4)) * taken.equivalent as decimal(38,12)) as equivalent_kgce,
    cast(cast(used.amount as decimal(19,4)) * taken.primary as decimal(38,12)) as primary_kgce,
    cast(case when taken.is_in_energy_total then 1 else -1 end * cast(used.amount as decimal(19,4)) * taken.emission as decimal(38,12))
        as emissions_tco2,
    cast(case when taken.is_in_energy_total then 1 else -1 end * cast(used.amount as decimal(19,4)) * taken.frozen as decimal(38,12))
        as frozen_tco2
from used
inner join core.core_institution as institutions using (institution_id, year)
inner join taken on used.year = taken.year and institutions.region_code = taken.region_code and used.carrier = taken.carrier
where taken.is_in_energy_total or taken.is_deducted;

-- approach 1: the error of each amount, then that of each row over all that it touches
create or replace temp table erring as
select
    institution_id,
    year,
    region_code,
    factor_id,
    conversion_id,
    emissions_tco2,
    cast(size_tco2 * cast(case when emissions_tco2 >= 0 then minus_pct else plus_pct end * 0.01 as decimal(18,8)) as decimal(18,9)) as minus_tco2,
    cast(size_tco2 * cast(case when emissions_tco2 >= 0 then plus_pct else minus_pct end * 0.01 as decimal(18,8)) as decimal(18,9)) as plus_tco2
from (select *, cast(abs(emissions_tco2) as decimal(19,9)) as size_tco2 from worth) as sized
where emissions_tco2 is not null;

create or replace table bare.institution_year as
with sums as (
    select
        institution_id,
        year,
        region_code,
        sum(equivalent_kgce) filter (where is_in_energy_total) as equivalent_kgce,
        sum(primary_kgce) filter (where is_in_energy_total) as primary_kgce,
        sum(emissions_tco2) filter (where kind = 'direct') as direct_tco2,
        sum(emissions_tco2) filter (where kind = 'electricity') as electricity_tco2,
        sum(emissions_tco2) filter (where kind = 'heat') as heat_tco2,
        sum(emissions_tco2) as total_tco2,
        sum(frozen_tco2) as frozen_tco2,
        sum(case carrier when 'electricity' then amount when 'electricity_passed_on' then -amount end) as kept_kwh
    from worth
    group by all
),

activity_errors as (
    select
        institution_id,
        year,
        sum(cast(cast(minus_tco2 as decimal(19,9)) * minus_tco2 as decimal(38,18))) as minus_squared,
        sum(cast(cast(plus_tco2 as decimal(19,9)) * plus_tco2 as decimal(38,18))) as plus_squared
    from erring
    group by all
),

rows as (
    select institution_id, year, factor_id, emissions_tco2 from erring
    union all
    select institution_id, year, conversion_id, emissions_tco2 from erring where conversion_id is not null
),

touched as (
    select institution_id, year, factor_id, cast(abs(sum(emissions_tco2)) as decimal(19,9)) as size_tco2 from rows group by all
),

factor_halves as (
    select
        institution_id,
        year,
        cast(size_tco2 * cast(minus_pct * 0.01 as decimal(18,8)) as decimal(18,9)) as minus_tco2,
        cast(size_tco2 * cast(plus_pct * 0.01 as decimal(18,8)) as decimal(18,9)) as plus_tco2
    from touched
    inner join core.core_uncertainty as uncertainties
        on uncertainties.subject_kind = 'factor' and touched.factor_id = uncertainties.subject_key
),

factor_errors as (
    select
        institution_id,
        year,
        sum(cast(cast(minus_tco2 as decimal(19,9)) * minus_tco2 as decimal(38,18))) as minus_squared,
        sum(cast(cast(plus_tco2 as decimal(19,9)) * plus_tco2 as decimal(38,18))) as plus_squared
    from factor_halves
    group by all
),

green as (
    select institution_id, year, sum(volume_kwh) as green_kwh from marts.green_power where is_proven group by all
),

marketed as (
    select
        sums.*,
        cast(
            cast(greatest(kept_kwh - coalesce(green.green_kwh, 0), 0) as decimal(19,4)) * markets.tco2_per_kwh
        as decimal(38,12)) as market_electricity_tco2
    from sums
    left join green using (institution_id, year)
    inner join core.core_market_factor as markets using (region_code, year)
)

select
    marketed.*,
    direct_tco2 + heat_tco2 + market_electricity_tco2 as market_total_tco2,
    cast(total_tco2 as double) - sqrt(cast(activity_errors.minus_squared + factor_errors.minus_squared as double)) as low_tco2,
    cast(total_tco2 as double) + sqrt(cast(activity_errors.plus_squared + factor_errors.plus_squared as double)) as high_tco2
from marketed
inner join activity_errors using (institution_id, year)
inner join factor_errors using (institution_id, year);

create or replace table bare.region_year as
with sums as (
    select
        paths.ancestor_code as region_code,
        year,
        sum(equivalent_kgce) as equivalent_kgce,
        sum(primary_kgce) as primary_kgce,
        sum(direct_tco2) as direct_tco2,
        sum(electricity_tco2) as electricity_tco2,
        sum(heat_tco2) as heat_tco2,
        sum(total_tco2) as total_tco2,
        sum(frozen_tco2) as frozen_tco2,
        sum(market_electricity_tco2) as market_electricity_tco2,
        sum(market_total_tco2) as market_total_tco2
    from bare.institution_year
    inner join core.core_region_path as paths using (region_code)
    group by all
),

chains as (
    select
        region_code,
        year,
        factor_id,
        conversion_id,
        sum(emissions_tco2) as emissions_tco2,
        sum(cast(cast(minus_tco2 as decimal(19,9)) * minus_tco2 as decimal(38,18))) as minus_squared,
        sum(cast(cast(plus_tco2 as decimal(19,9)) * plus_tco2 as decimal(38,18))) as plus_squared
    from erring
    group by all
),

erring_regions as (
    select paths.ancestor_code as region_code, year, factor_id, conversion_id,
        sum(emissions_tco2) as emissions_tco2, sum(minus_squared) as minus_squared, sum(plus_squared) as plus_squared
    from chains
    inner join core.core_region_path as paths using (region_code)
    group by all
),

activity_errors as (
    select region_code, year, sum(minus_squared) as minus_squared, sum(plus_squared) as plus_squared from erring_regions group by all
),

rows as (
    select region_code, year, factor_id, emissions_tco2 from erring_regions
    union all
    select region_code, year, conversion_id, emissions_tco2 from erring_regions where conversion_id is not null
),

touched as (
    select
        region_code,
        year,
        cast(abs(sum(emissions_tco2)) as decimal(19,9)) as size_tco2,
        factor_id
    from rows
    group by all
),

factor_halves as (
    select
        region_code,
        year,
        cast(size_tco2 * cast(minus_pct * 0.01 as decimal(18,8)) as decimal(18,9)) as minus_tco2,
        cast(size_tco2 * cast(plus_pct * 0.01 as decimal(18,8)) as decimal(18,9)) as plus_tco2
    from touched
    inner join core.core_uncertainty as uncertainties
        on uncertainties.subject_kind = 'factor' and touched.factor_id = uncertainties.subject_key
),

factor_errors as (
    select
        region_code,
        year,
        sum(cast(cast(minus_tco2 as decimal(19,9)) * minus_tco2 as decimal(38,18))) as minus_squared,
        sum(cast(cast(plus_tco2 as decimal(19,9)) * plus_tco2 as decimal(38,18))) as plus_squared
    from factor_halves
    group by all
)

select
    sums.*,
    cast(total_tco2 as double) - sqrt(cast(activity_errors.minus_squared + factor_errors.minus_squared as double)) as low_tco2,
    cast(total_tco2 as double) + sqrt(cast(activity_errors.plus_squared + factor_errors.plus_squared as double)) as high_tco2
from sums
inner join activity_errors using (region_code, year)
inner join factor_errors using (region_code, year);
