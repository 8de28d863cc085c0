{#- What makes a region's emissions, or their change, uncertain, the largest cause first. -#}
{%- set keys = 'region_code, population, base_year, figure, aspect' %}

with

region_terms as (
    select * from {{ ref('core_region_emission_term') }}
),

uncertainties as (
    select * from {{ ref('core_uncertainty') }}
),

{{ terms_of_regions() }},

{{ uncertainty_causes(keys) }},

ranked as (
    select
        *,
        row_number() over (
            partition by {{ keys }}
            order by is_known, minus_squared + plus_squared desc, cause_kind, factor_id
        ) as rank_number,
        sum(minus_squared + plus_squared) over (partition by {{ keys }}) as all_squared,
        bool_and(is_known) over (partition by {{ keys }}) as is_all_known
    from causes
),

final as (
    select
        ---------- ids
        region_code,
        population,
        cast(base_year as integer) as year,
        figure,
        aspect,
        cause_kind,
        factor_id,

        ---------- how much
        cast(rank_number as integer) as rank_number,
        emissions_tco2 as touched_tco2,
        case when is_known then sqrt(cast(minus_squared as double)) end as cause_minus_tco2,
        case when is_known then sqrt(cast(plus_squared as double)) end as cause_plus_tco2,
        case when is_all_known then {{ ratio('minus_squared + plus_squared', 'all_squared') }} end as variance_share
    from ranked
)

select * from final
