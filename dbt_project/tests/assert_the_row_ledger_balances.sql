-- Nothing is lost: read = loaded + quarantined + superseded + ignored, and none of them is below zero.
select *
from {{ ref('row_ledger') }}
where is_balanced is distinct from true
    or least(n_read, n_loaded, n_quarantined, n_superseded, n_ignored) < 0
