{#- Where the last year of a building or an institution will end: the months so far against the same months of the year
    before, and the whole year before carried on at that rate. Only months that readings cover whole in both years are
    compared; a year of twelve such months is its own forecast. Rates and forecasts are doubles, never summed. -#}
with

months as (
    select * from {{ ref('core_meter_month') }}
),

years as (
    select * from {{ ref('core_meter_year') }}
),

items as (
    select * from {{ ref('metering_items') }}
),

buildings as (
    select * from {{ ref('core_building') }}
),

limits as (
    select cast(max(limit_value) filter (where limit_key = 'forecast_min_months') as bigint) as min_months
    from {{ ref('method_limits') }}
),

by_month as (
    select
        months.building_code,
        months.item_code,
        months.reported_unit as unit,
        months.year,
        months.month,
        sum(months.reported_amount) as amount,
        min(months.covered_s) as covered_s
    from months
    inner join items on months.item_code = items.item_code
    inner join years
        on months.building_code = years.building_code
        and months.meter_id is not distinct from years.meter_id
        and months.item_code = years.item_code
        and months.year = years.year
        and months.reported_unit = years.reported_unit
        and years.is_counted_in_building
    where items.published_as is not null and coalesce(items.parent_code, '') = ''
    group by all
),

by_building as (
    select
        *,
        covered_s >= date_diff(
            'second', make_date(year, month, 1)::timestamp, make_date(year, month, 1)::timestamp + interval 1 month
        ) as is_whole
    from by_month
),

-- an institution is the sum of its metered buildings; months of other buildings are never compared with each other
by_subject as (
    select
        'building' as subject_kind, building_code as subject_key, building_code as metered_buildings, 1 as n_buildings,
        item_code, unit, year, month, amount, is_whole
    from by_building

    union all

    select
        'institution', buildings.institution_id, string_agg(by_building.building_code, ' ' order by by_building.building_code),
        count(*), by_building.item_code, by_building.unit, by_building.year, by_building.month,
        sum(by_building.amount), bool_and(by_building.is_whole)
    from by_building
    inner join buildings on by_building.building_code = buildings.building_code
    where buildings.institution_id is not null
    group by all
),

whole as (
    select * from by_subject where is_whole and amount is not null
),

compared as (
    select
        now.subject_kind,
        now.subject_key,
        now.metered_buildings,
        now.n_buildings,
        now.item_code,
        now.unit,
        now.year,
        max(now.month) as last_month_number,
        count(*) as n_months,
        sum(now.amount) as to_date_amount,
        sum(before.amount) as same_months_before_amount
    from whole as now
    inner join whole as before
        on now.subject_kind = before.subject_kind
        and now.subject_key = before.subject_key
        and now.metered_buildings = before.metered_buildings
        and now.item_code = before.item_code
        and now.unit = before.unit
        and now.year = before.year + 1
        and now.month = before.month
    group by all
),

last_years as (
    select *
    from compared
    qualify row_number() over (
        partition by subject_kind, subject_key, item_code, unit order by year desc, n_months desc, metered_buildings
    ) = 1
),

whole_years as (
    select subject_kind, subject_key, metered_buildings, item_code, unit, year, sum(amount) as amount
    from whole
    group by all
    having count(*) = 12
),

judged as (
    select
        last_years.*,
        whole_years.amount as year_before_amount,
        case
            when last_years.n_months = 12 then 'whole_year'
            when last_years.n_months < limits.min_months then 'too_few_months'
            when whole_years.amount is null then 'year_before_not_whole'
            when last_years.same_months_before_amount <= 0 then 'nothing_before'
            else 'forecast'
        end as forecast_state
    from last_years
    cross join limits
    left join whole_years
        on last_years.subject_kind = whole_years.subject_kind
        and last_years.subject_key = whole_years.subject_key
        and last_years.metered_buildings = whole_years.metered_buildings
        and last_years.item_code = whole_years.item_code
        and last_years.unit = whole_years.unit
        and last_years.year = whole_years.year + 1
),

places as (
    select 'building' as subject_kind, building_code as subject_key, region_code, institution_id from buildings

    union all

    select 'institution', institution_id, min(region_code), institution_id
    from buildings
    where institution_id is not null
    group by institution_id
),

final as (
    select
        ---------- ids
        places.region_code,
        judged.subject_kind,
        judged.subject_key,
        places.institution_id,
        judged.item_code,
        cast(judged.year as integer) as year,

        ---------- texts
        judged.unit,
        judged.forecast_state,

        ---------- amounts, in the unit of the row
        cast(judged.to_date_amount as decimal(18,4)) as to_date_amount,
        cast(judged.same_months_before_amount as decimal(18,4)) as same_months_before_amount,
        cast(judged.year_before_amount as decimal(18,4)) as year_before_amount,
        case judged.forecast_state
            when 'whole_year' then cast(judged.to_date_amount as double)
            when 'forecast' then cast(judged.year_before_amount as double)
                * {{ ratio('judged.to_date_amount', 'judged.same_months_before_amount') }}
        end as forecast_amount,

        ---------- how fast the year runs
        {{ ratio('judged.to_date_amount - judged.same_months_before_amount', 'judged.same_months_before_amount') }}
            as run_rate_change_share,

        ---------- counts
        cast(judged.n_months as bigint) as n_months_compared,
        cast(judged.last_month_number as integer) as last_month_number,
        cast(judged.n_buildings as bigint) as n_buildings
    from judged
    left join places
        on judged.subject_kind = places.subject_kind
        and judged.subject_key = places.subject_key
)

select * from final
