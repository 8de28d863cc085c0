{#- What data-room and heating forms say, beside the whole that each is a part of: the rooms of an institution together. -#}
with

amounts as (
    select * from {{ ref('core_form_amount') }}
),

limits as (
    select * from {{ ref('method_limits') }}
),

parts as (
    select
        form_code,
        institution_id_scheme,
        institution_id,
        year,
        base_item_code as item_code,
        min(item_code) as part_item_code,
        min(unit) as unit,
        sum(amount) as part_amount,
        arg_min(
            struct_pack(f := file_id, p := path, s := sheet, r := row_number, c := column_number),
            (path, sheet, row_number, column_number)
        ) as place
    from amounts
    where form_role = 'part' and base_item_code is not null and amount is not null
    group by all
),

final as (
    select
        ---------- ids
        parts.form_code,
        parts.institution_id_scheme,
        parts.institution_id,
        parts.year,
        parts.part_item_code,
        parts.item_code,

        ---------- amounts
        parts.unit,
        cast(parts.part_amount as decimal(18,4)) as part_amount,
        wholes.amount as whole_amount,

        ---------- booleans
        case
            when parts.part_amount = 0 then true
            when wholes.amount is null then false
            else parts.part_amount - wholes.amount <= {{ mul('wholes.amount', 'limits.limit_value') }}
        end as is_within_tolerance,

        ---------- place of the first cell of the part
        parts.place.f as file_id,
        parts.place.p as path,
        parts.place.s as sheet,
        cast(parts.place.r as integer) as row_number,
        cast(parts.place.c as integer) as column_number,
        {{ cell('parts.place.c', 'parts.place.r') }} as cell
    from parts
    inner join limits on limits.limit_key = 'part_tolerance_share'
    left join amounts as wholes
        on wholes.form_role = 'return'
        and parts.institution_id_scheme = wholes.institution_id_scheme
        and parts.institution_id = wholes.institution_id
        and parts.year = wholes.year
        and parts.item_code = wholes.item_code
)

select * from final
