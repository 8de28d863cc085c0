-- Of one institution, form, period and item scope exactly one approved return is used.
-- depends_on: {{ ref('institution_year') }}
select
    form_code,
    institution_id_scheme,
    institution_id,
    year,
    period_kind,
    period_index,
    item_scope,
    count(*) filter (where record_state = 'used') as n_used
from {{ ref('core_direct_report_records') }}
where record_state <> 'not_approved'
group by all
having n_used <> 1
