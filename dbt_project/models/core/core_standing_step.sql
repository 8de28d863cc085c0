{#- What counters moved, where no intervals of the same meter hold the same span. -#}
{{ config(materialized='view') }}
with

steps as (
    select * from {{ ref('core_register_steps') }}
),

doubled as (
    select file_id, line, column_number from {{ ref('core_doubled_readings') }} where reading_kind = 'register'
),

final as (
    select steps.*
    from steps
    anti join doubled
        on steps.file_id = doubled.file_id
        and steps.line = doubled.line
        and steps.column_number = doubled.column_number
)

select * from final
