{#- Definition 7: approved amounts of both whole years, and no merger or split since the first day of the earlier one. -#}
{% macro is_alike(earlier, later) -%}
    {{ earlier }}.months_reported = 12
    and {{ later }}.months_reported = 12
    and ({{ later }}.boundary_changed_on is null or {{ later }}.boundary_changed_on <= {{ earlier }}.year_starts_on)
{%- endmacro %}

{#- The CTEs `alike` and `members` of definition 7, over rows of institutions and years with region_code and what `is_alike` asks.
    base_year is the year of the published row; the rows of the year before serve its changes. -#}
{% macro population_members(institution_years) -%}
-- two years running that compare, whatever else the register said
alike as (
    select
        later.institution_id_scheme,
        later.institution_id,
        later.year as base_year,
        later.region_code
    from {{ institution_years }} as later
    inner join {{ institution_years }} as earlier
        on later.institution_id_scheme = earlier.institution_id_scheme
        and later.institution_id = earlier.institution_id
        and later.year = earlier.year + 1
    where {{ is_alike('earlier', 'later') }}
),

-- a like-for-like institution counts in both years where it lies in the later one
members as (
    select
        'reported' as population,
        years.year as base_year,
        {{ institution_years }}.region_code as counted_region_code,
        {{ institution_years }}.*
    from (select distinct year from {{ institution_years }}) as years
    inner join {{ institution_years }} on {{ institution_years }}.year in (years.year, years.year - 1)

    union all

    select
        'like_for_like',
        alike.base_year,
        alike.region_code,
        {{ institution_years }}.*
    from alike
    inner join {{ institution_years }}
        on alike.institution_id_scheme = {{ institution_years }}.institution_id_scheme
        and alike.institution_id = {{ institution_years }}.institution_id
        and {{ institution_years }}.year in (alike.base_year, alike.base_year - 1)
)
{%- endmacro %}
