-- depends_on: {{ ref('institution_year') }}
{{ config(severity='warn') }}
select *
from {{ ref('core_unread_values') }}
where problem_code = 'digits_rounded'
