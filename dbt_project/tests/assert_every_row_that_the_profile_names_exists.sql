-- A factor row or set that is named but not there would leave its carrier without a figure, in silence.
-- depends_on: {{ ref('institution_year') }}
with

builds as (
    select * from {{ ref('stg_control__build') }}
),

factors as (
    select * from {{ ref('core_factor') }}
),

named as (
    select 'electricity_equivalent_factor' as named_by, electricity_equivalent_factor as name from builds
    union all
    select 'gas_coal_factor', gas_coal_factor from builds
    union all
    select 'heat_factor', heat_factor from builds
    union all
    select 'profile_factors', factor_id from {{ ref('stg_control__stand_ins') }}
    union all
    select 'uncertainties', factor_id from {{ ref('stg_control__uncertainties') }} where factor_id is not null
),

sets as (
    select 'coal_set' as named_by, 'standard_coal' as factor_kind, coal_set as name from builds
    union all
    select 'fuel_set', 'fuel', fuel_set from builds
)

select * from named
anti join factors on named.name = factors.factor_id

union all

select named_by, name from sets
anti join factors on sets.factor_kind = factors.factor_kind and sets.name = factors.factor_set

union all

select 'uncertainties', named_rows.uncertainty_id
from {{ ref('stg_control__uncertainties') }} as named_rows
anti join {{ ref('uncertainty_defaults') }} as defaults on named_rows.uncertainty_id = defaults.uncertainty_id
where named_rows.uncertainty_id is not null

union all

select 'electricity_primary_series', builds.electricity_primary_series
from builds
anti join factors
    on builds.electricity_primary_series = factors.series
    or builds.electricity_primary_series = factors.factor_id
