{#- Half-widths of an institution's emissions (definition 20). -#}
with

terms as not materialized (
    select * from {{ ref('core_emission_term') }} where factor_view <> 'frozen'
),

uncertainties as (
    select * from {{ ref('core_uncertainty') }}
),

{%- set keys = 'institution_id_scheme, institution_id, year' %}

{{ uncertainty_causes(keys) }},

{{ uncertainty_bounds(keys) }},

final as (
    select
        ---------- ids
        institution_id_scheme,
        institution_id,
        year,

        ---------- texts
        bounds_state,

        ---------- half-widths
        minus_tco2,
        plus_tco2
    from bounds
)

select * from final
