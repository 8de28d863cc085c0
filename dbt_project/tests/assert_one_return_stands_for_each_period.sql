-- Of one institution, form, period and item exactly one approved return is used (operations of a file are one return).
-- depends_on: {{ ref('institution_year') }}
select
    form_code,
    institution_id_scheme,
    institution_id,
    catalog_item_id,
    year,
    period_kind,
    period_index,
    item_code,
    count(distinct case
        when cell_state <> 'used' then null
        when record_kind = 'operation' then file_id
        else concat_ws('|', file_id, sheet, row_number)
    end) as n_used
from {{ ref('core_direct_report_cells') }}
where cell_state not in ('not_approved', 'held', 'outdated')
    -- an item that a later release no longer holds went with the return that held it
    and not (superseded_reason is not distinct from 'newer_release')
group by all
having n_used <> 1
