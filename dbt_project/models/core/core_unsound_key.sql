with

schemes as (
    select * from {{ ref('key_schemes') }}
),

-- two letters are in use for other buildings
classes as (
    select * from {{ ref('building_classes') }}
),

characters as (
    select * from {{ ref('uscc_characters') }}
),

weights as (
    select * from {{ ref('uscc_weights') }}
),

registered_institutions as (
    select * from {{ ref('stg_registers__institutions') }}
),

records as (
    select * from {{ ref('core_direct_report_records') }}
),

registered_buildings as (
    select * from {{ ref('stg_registers__buildings') }}
),

metered_buildings as (
    select * from {{ ref('stg_metering__buildings') }}
),

-- each code once, where it stands first
institutions as (
    select
        key_scheme,
        key_text,
        min(struct_pack(p := path, r := row_number)) as place
    from (
        select institution_id_scheme as key_scheme, institution_id as key_text, path, row_number
        from registered_institutions
        union all
        select institution_id_scheme, institution_id, path, row_number from records
    )
    where key_text is not null
    group by key_scheme, key_text
),

-- GB 32100: the weighted sum of seventeen characters and the last makes a multiple of the number of characters
check_characters as (
    select
        institutions.key_text,
        sum(characters.character_value * weights.weight) as weighted_sum
    from institutions
    inner join schemes on institutions.key_scheme = schemes.key_scheme
    cross join weights
    inner join characters
        on substr(institutions.key_text, weights.position_number, 1) = characters.character_code
    where schemes.has_check_character and regexp_full_match(institutions.key_text, schemes.pattern)
    group by institutions.key_text
),

expected_characters as (
    select
        check_characters.key_text,
        characters.character_code as expected
    from check_characters
    cross join (select count(*) as n_characters from characters) as counted
    inner join characters
        on (check_characters.weighted_sum + characters.character_value) % counted.n_characters = 0
),

judged_institutions as (
    select
        institutions.key_scheme,
        institutions.key_text,
        case
            when not regexp_full_match(institutions.key_text, schemes.pattern) then 'not_of_scheme'
            when right(institutions.key_text, 1) <> expected_characters.expected then 'check_character'
        end as problem_code,
        institutions.key_text as found,
        coalesce(expected_characters.expected, schemes.name_zh) as expected,
        institutions.place
    from institutions
    inner join schemes on institutions.key_scheme = schemes.key_scheme
    left join expected_characters on institutions.key_text = expected_characters.key_text
),

buildings as (
    select building_code, building_class_code, region_code, path, row_number from registered_buildings
    union all
    select building_code, building_class_code, region_code, path, row_number from metered_buildings
),

-- division, class letter, serial: a code of this shape says where the building is and what it is for
parts as (
    select
        schemes.key_scheme,
        buildings.*,
        regexp_extract(buildings.building_code, schemes.pattern, 1) as division,
        regexp_extract(buildings.building_code, schemes.pattern, 2) as class_letter
    from buildings
    inner join schemes
        on schemes.key_kind = 'building'
        and regexp_full_match(buildings.building_code, schemes.pattern)
),

judged_buildings as (
    select
        key_scheme,
        building_code as key_text,
        'division_differs' as problem_code,
        division as found,
        region_code as expected,
        min(struct_pack(p := path, r := row_number)) as place
    from parts
    where not starts_with(region_code, division)
    group by all
    union all
    select
        parts.key_scheme,
        parts.building_code,
        'class_differs',
        parts.class_letter,
        parts.building_class_code,
        min(struct_pack(p := parts.path, r := parts.row_number))
    from parts
    left join classes as said on parts.class_letter = said.building_class_code
    left join classes as registered on parts.building_class_code = registered.building_class_code
    where coalesce(said.stored_as_code, parts.class_letter)
        <> coalesce(registered.stored_as_code, parts.building_class_code)
    group by all
),

final as (
    select
        ---------- ids
        key_scheme,
        key_text,
        problem_code as key_problem_code,

        ---------- texts
        found,
        expected,

        ---------- place
        place.p as path,
        place.r as row_number
    from (
        select * from judged_institutions where problem_code is not null
        union all
        select * from judged_buildings
    )
)

select * from final
