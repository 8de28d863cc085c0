select files.*
from {{ ref('stg_control__files') }} as files
anti join {{ ref('row_ledger') }} as row_ledger on files.file_id = row_ledger.file_id
