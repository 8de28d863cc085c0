-- A coefficient times a density times a scale must fit eight decimals exactly: kgce/kg x kg/L.
-- depends_on: {{ ref('institution_year') }}
select factor_id, conversion_id
from {{ ref('core_carrier_factor') }}
where has_lost_digits

union all

select factors.factor_id, null
from {{ ref('core_electricity_factor') }} as electricity_factors
inner join {{ ref('core_factor') }} as factors on electricity_factors.factor_id = factors.factor_id
where electricity_factors.is_in_force
    and cast(factors.factor_value as decimal(19,8)) * factors.unit_multiplier <> electricity_factors.tco2_per_kwh
