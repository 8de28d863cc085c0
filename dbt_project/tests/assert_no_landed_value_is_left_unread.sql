-- Units that do not fit their item and numbers too long belong in quarantine; regions outside the profile have
-- no place in any sum.
-- depends_on: {{ ref('institution_year') }}
select *
from {{ ref('core_unread_values') }}
where problem_code <> 'digits_rounded'
