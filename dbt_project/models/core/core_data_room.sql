{#- Data rooms of institutions by year, from NY202: parts of what the institution reports, never added to it. -#}
with

amounts as (
    select *
    from {{ ref('core_form_amount') }}
    where form_code = 'NY202'
),

final as (
    select
        ---------- ids
        institution_id_scheme,
        institution_id,
        catalog_item_id as room_id,
        year,

        ---------- the room
        max(amount) filter (where carrier = 'room_floor_area') as room_floor_area_m2,
        cast(max(amount) filter (where carrier = 'cabinets') as integer) as n_cabinets,
        max(amount) filter (where carrier = 'equipment_power') as equipment_power_kw,

        ---------- amounts
        max(amount) filter (where carrier = 'electricity') as electricity_kwh,
        max(amount) filter (where carrier = 'it_electricity') as it_electricity_kwh,
        max(amount) filter (where carrier = 'air_conditioning_electricity') as cooling_electricity_kwh,
        max(amount) filter (where carrier = 'distribution_electricity') as distribution_electricity_kwh,
        max(amount) filter (where carrier = 'photovoltaic_generation') as photovoltaic_generation_kwh,
        {{ ratio('electricity_kwh', 'it_electricity_kwh') }} as power_usage_effectiveness,

        ---------- completeness
        cast(max(months_reported) filter (where carrier = 'electricity') as integer) as months_reported
    from amounts
    group by institution_id_scheme, institution_id, catalog_item_id, year
)

select * from final
