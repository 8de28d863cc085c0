-- A superseded record names another record, and that one is not superseded itself.
-- depends_on: {{ ref('row_ledger') }}
with

superseded as (
    select * from {{ ref('core_superseded_records') }}
)

select superseded.*
from superseded
left join superseded as again
    on superseded.survivor_file_id = again.file_id
    and superseded.survivor_row_number = again.row_number
    and superseded.sheet is not distinct from again.sheet
where superseded.survivor_file_id is null
    or superseded.survivor_row_number is null
    or again.file_id is not null
