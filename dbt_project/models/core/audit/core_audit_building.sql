{#- Buildings of audits. What a report writes of envelope and systems is read by name: the names of the codes of the national
    upload, and the words of a seed; a word that neither knows has no code, and a rule names it. -#}

{%- set worded = [
    ('wall_type', 'wall_material_code'),
    ('wall_insulation_type', 'wall_insulation_code'),
    ('window_type', 'window_type_code'),
    ('glass_type', 'glass_type_code'),
    ('frame_type', 'window_frame_code'),
    ('structure_type', 'structure_type_code'),
    ('air_conditioning_type', 'air_conditioning_type_code'),
    ('heating_type', 'heating_type_code'),
] -%}

with

landed as (
    select * from {{ ref('stg_energy_audit__buildings') }}
),

reports as (
    select * from {{ ref('core_audit_record') }}
),

names as (
    select * from {{ ref('building_attributes') }} where dialect <> 'last_letter'
),

words as (
    select * from {{ ref('building_attribute_words') }}
),

spelled as (
    select attribute, {{ plain_word('name_zh') }} as word, stored_as_code as code from names
    union
    select attribute, {{ plain_word('word') }}, code from words
),

final as (
    select
        ---------- ids
        landed.file_id,
        landed.institution_id,
        reports.audit_year,

        ---------- place
        landed.path,
        landed.sheet,
        cast(landed.row_number as integer) as row_number,

        ---------- what the report says
        landed.building_code,
        landed.building_name,
        landed.building_function,
        landed.structure_type,
        landed.wall_type,
        landed.wall_insulation_type,
        landed.window_type,
        landed.glass_type,
        landed.frame_type,
        landed.air_conditioning_type,
        landed.heating_type,

        ---------- the same in codes
        {%- for word, code in worded %}
        {{ code }}s.code as {{ code }},
        {%- endfor %}

        ---------- years and areas
        landed.built_year,
        landed.floor_area_m2,
        landed.air_conditioned_area_m2,
        landed.heated_area_m2
    from landed
    inner join reports
        on landed.file_id = reports.file_id
        and landed.institution_id = reports.institution_id
        and reports.record_state = 'used'
    {%- for word, code in worded %}
    left join spelled as {{ code }}s
        on {{ code }}s.attribute = '{{ code }}'
        and {{ plain_word('landed.' ~ word) }} = {{ code }}s.word
    {%- endfor %}
)

select * from final
