with

institutions as (
    select * from {{ ref('core_institution') }}
),

final as (
    select
        ---------- ids
        institution_id_scheme,
        institution_id,
        year,
        region_code,

        ---------- texts
        institution_name,

        ---------- place of the return
        file_id,
        path,
        sheet,
        row_number
    from institutions
    where not is_registered
)

select * from final
