-- Overlapping intervals would count the same hours twice.
-- depends_on: {{ ref('building_year') }}
{{ config(severity='warn') }}
select *
from {{ ref('core_meter_year') }}
where coverage_share > 1
