-- depends_on: {{ ref('institution_year') }}
with

expected as (
    select
        years.year,
        carriers.carrier,
        unnest(['standard_coal_equivalent', 'standard_coal_primary']) as purpose
    from (select distinct year from {{ ref('core_institution') }}) as years
    cross join {{ ref('carriers') }} as carriers
    where carriers.is_in_energy_total
)

select expected.*
from expected
left join {{ ref('core_carrier_factor') }} as found using (year, carrier, purpose)
where found.result_per_unit is null
