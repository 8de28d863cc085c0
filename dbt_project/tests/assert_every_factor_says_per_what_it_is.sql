-- depends_on: {{ ref('factor_used') }}
select *
from {{ ref('core_factor') }}
where factor_kind <> 'conversion'
    and (result_unit is null or amount_unit is null)
