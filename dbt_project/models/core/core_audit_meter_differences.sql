{#- Annual amounts that an audit states for a building, held against the building's meters. Nothing is averaged and
    nothing replaced: an amount of another building, copied, shows here as one that does not match. -#}
with

audited as (
    select * from {{ ref('stg_energy_audit__values') }}
),

meters as (
    select * from {{ ref('core_meter_year') }}
),

items as (
    select * from {{ ref('metering_items') }}
),

buildings as (
    select distinct building_code from meters
),

-- the total of a carrier: its parts are in it already
metered as (
    select
        meters.building_code,
        meters.year,
        meters.carrier,
        cast(sum(meters.amount) as decimal(18,4)) as metered_amount,
        min(meters.coverage_share) as coverage_share
    from meters
    inner join items on meters.item_code = items.item_code
    where items.parent_code is null and meters.is_counted_in_building
    group by all
),

stated as (
    select audited.*
    from audited
    where audited.measure = 'amount' and audited.amount is not null and audited.period_kind = 'year'
    qualify row_number() over (
        partition by audited.institution_id, audited.year, audited.carrier
        order by audited.path desc, audited.sheet, audited.row_number, audited.column_number
    ) = 1
),

final as (
    select
        ---------- ids
        stated.institution_id as building_code,
        stated.year,
        stated.carrier,

        ---------- place
        stated.path,
        stated.sheet,
        stated.row_number,

        ---------- texts
        stated.value_text,
        stated.unit_text,

        ---------- amounts
        stated.amount,
        metered.metered_amount,
        cast(stated.amount - metered.metered_amount as decimal(18,4)) as metered_difference,
        stated.unit,

        ---------- shares
        {{ ratio('stated.amount - metered.metered_amount', 'metered.metered_amount') }} as metered_difference_share,
        metered.coverage_share
    from stated
    inner join buildings on stated.institution_id = buildings.building_code
    left join metered
        on stated.institution_id = metered.building_code
        and stated.year = metered.year
        and stated.carrier = metered.carrier
)

select * from final
