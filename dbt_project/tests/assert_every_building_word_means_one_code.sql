-- A word that meant two codes would make two rows of one audited building.
-- depends_on: {{ ref('core_audit_building') }}
with

spelled as (
    select attribute, {{ plain_word('name_zh') }} as word, stored_as_code as code
    from {{ ref('building_attributes') }}
    where dialect <> 'last_letter'

    union

    select attribute, {{ plain_word('word') }}, code from {{ ref('building_attribute_words') }}
)

select attribute, word
from spelled
group by attribute, word
having count(*) > 1
