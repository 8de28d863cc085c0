{#- What makes a region's emissions, or their change, uncertain, the largest cause first. -#}

with

causes as (
    select * from {{ ref('core_region_uncertainty_cause') }}
),

ranked as (
    select
        *,
        row_number() over (
            of_figure order by is_known, minus_squared + plus_squared desc, cause_kind, factor_id
        ) as rank_number,
        sum(minus_squared + plus_squared) over of_figure as all_squared,
        bool_and(is_known) over of_figure as is_all_known
    from causes
    window of_figure as (partition by region_code, population, base_year, figure, aspect)
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
        touched_tco2,
        case when is_known then sqrt(cast(minus_squared as double)) end as cause_minus_tco2,
        case when is_known then sqrt(cast(plus_squared as double)) end as cause_plus_tco2,
        case when is_all_known then {{ ratio('minus_squared + plus_squared', 'all_squared') }} end as variance_share
    from ranked
)

select * from final
