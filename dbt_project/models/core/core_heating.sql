{#- Heating of institutions by year, from NY203: parts of what the institution reports, never added to it. District heat
    that is billed by area has an area and a cost and no amount: it is there, and not measured. -#}
with

amounts as (
    select *
    from {{ ref('core_form_amount') }}
    where form_code = 'NY203'
),

summed as (
    select
        ---------- ids
        institution_id_scheme,
        institution_id,
        year,

        ---------- areas
        max(amount) filter (where carrier = 'heated_area') as heated_area_m2,
        max(amount) filter (where carrier = 'area_billed_by_area') as area_billed_by_area_m2,

        ---------- amounts
        max(amount) filter (where measure = 'amount' and carrier = 'water') as heating_water_m3,
        max(amount) filter (where measure = 'amount' and carrier = 'electricity') as heating_electricity_kwh,
        max(amount) filter (where measure = 'amount' and carrier = 'coal') as heating_coal_t,
        max(amount) filter (where measure = 'amount' and carrier = 'natural_gas') as heating_natural_gas_m3,
        max(amount) filter (where measure = 'amount' and carrier = 'diesel') as heating_diesel_l,
        max(amount) filter (where measure = 'amount' and carrier = 'heat') as heating_heat_gj,
        max(amount) filter (where measure = 'amount' and carrier = 'other_energy') as heating_other_energy_kgce,
        max(amount) filter (where carrier = 'heat_billed_by_area') as heat_billed_by_area_cny,

        ---------- completeness
        coalesce(
            bool_or(amount > 0) filter (where carrier in ('area_billed_by_area', 'heat_billed_by_area')), false
        ) as has_unmeasured_heat,

        ---------- place of the cell that says so, else of the first
        arg_min(
            struct_pack(f := file_id, p := path, s := sheet, r := row_number),
            (carrier not in ('area_billed_by_area', 'heat_billed_by_area'), item_code)
        ) as place
    from amounts
    group by institution_id_scheme, institution_id, year
),

final as (
    select
        * exclude (place),
        place.f as file_id,
        place.p as path,
        place.s as sheet,
        cast(place.r as integer) as row_number
    from summed
)

select * from final
