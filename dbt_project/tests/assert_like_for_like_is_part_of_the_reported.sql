-- Institutions that are alike in two years are among those of the later year.
with

region_years as (
    select * from {{ ref('region_year') }}
)

select alike.region_code, alike.year
from region_years as alike
left join region_years as reported
    on alike.region_code = reported.region_code
    and alike.year = reported.year
    and reported.population = 'reported'
where alike.population = 'like_for_like'
    and (reported.region_code is null or alike.n_institutions > reported.n_institutions)
