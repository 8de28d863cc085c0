-- Two grid regions of one day would be two factors for one kilowatt-hour; none would pass the grid over in silence.
-- depends_on: {{ ref('institution_year') }}
with

spans as (
    select
        *,
        lead(coalesce(valid_from, date '0001-01-01')) over by_day as next_from,
        row_number() over by_day = 1 as is_first
    from {{ ref('grid_regions') }}
    window by_day as (partition by province_code order by coalesce(valid_from, date '0001-01-01'))
)

select province_code, valid_from, valid_until, next_from
from spans
where (next_from is null and valid_until is not null)
    or (next_from is not null and valid_until + 1 is distinct from next_from)
    or (is_first and valid_from is not null)
    or valid_from > valid_until
