{#- Attribute letters of a building, read in the dialect of its sender: two families write other as Z or as the last
    letter, and heating D means two things. A declared dialect decides; else the letters that only one family has, the
    building's own first, then its node's. A letter that stays open keeps its text and gets no code. -#}

{%- set attributes = [
    'structure_type_code', 'air_conditioning_type_code', 'heating_type_code', 'wall_material_code',
    'wall_insulation_code', 'window_type_code', 'glass_type_code', 'window_frame_code',
] %}

with

platform as (
    select * from {{ ref('stg_metering__buildings') }}
),

codes as (
    select * from {{ ref('building_attributes') }}
),

-- uploads repeat their building file: the last by name is the newest
uploaded as (
    select * from platform
    qualify row_number() over (partition by building_code order by path desc, row_number desc) = 1
),

letters as (
    unpivot (
        select
            building_code, node_code, attribute_dialect, building_class_code,
            {{ attributes | join(', ') }}
        from uploaded
    )
    on {{ attributes | join(', ') }}
    into name attribute value code
),

-- a letter that one family alone has says which family wrote it
telling as (
    select attribute, code, min(dialect) as dialect
    from codes
    group by all
    having count(*) = 1 and min(dialect) <> 'both'
),

evidence as (
    select letters.building_code, letters.node_code, telling.dialect, true as is_of_node
    from letters
    inner join telling
        on letters.attribute = telling.attribute
        and letters.code = telling.code

    union all

    select
        building_code,
        node_code,
        case building_class_code when 'Z' then 'z' when 'H' then 'last_letter' end as dialect,
        false as is_of_node
    from uploaded
    where building_class_code in ('Z', 'H')
),

dialect_of_building as (
    select building_code, min(dialect) as dialect
    from evidence
    group by all
    having min(dialect) = max(dialect)
),

dialect_of_node as (
    select node_code, min(dialect) as dialect
    from evidence
    where is_of_node and node_code is not null
    group by all
    having min(dialect) = max(dialect)
),

spoken as (
    select
        letters.*,
        coalesce(letters.attribute_dialect, dialect_of_building.dialect, dialect_of_node.dialect) as dialect
    from letters
    left join dialect_of_building on letters.building_code = dialect_of_building.building_code
    left join dialect_of_node on letters.node_code = dialect_of_node.node_code
),

final as (
    select
        ---------- ids
        spoken.building_code,
        spoken.attribute,

        ---------- texts
        spoken.code as attribute_letter,
        spoken.dialect as attribute_dialect,
        codes.stored_as_code as attribute_code,
        codes.name_zh as attribute_name_zh,
        codes.name_en as attribute_name_en
    from spoken
    left join codes
        on spoken.attribute = codes.attribute
        and spoken.code = codes.code
        and (codes.dialect = 'both' or codes.dialect = spoken.dialect)
)

select * from final
