{#- The source of every amount that counts: one row per cell (or line of a register) that an entry is the sum of, in the
    order of institutions, so that what one figure is made of lies side by side. -#}
with

cells as not materialized (
    select *
    from {{ ref('core_direct_report_cells') }}
    where cell_state = 'used'
        and amount is not null
        and form_role in ('return', 'supplement', 'part')
        and (measure = 'amount'
            or (measure = 'cost' and form_role <> 'part')
            or carrier in ('floor_area', 'energy_users', 'heated_area'))
),

amounts as (
    select * from {{ ref('core_form_amount') }} where amount is not null
),

institutions as (
    select * from {{ ref('core_institution') }}
),

register as (
    select * from {{ ref('stg_registers__institutions') }}
),

green_power as (
    select * from {{ ref('green_power') }} where is_proven
),

green_lines as (
    select * from {{ ref('stg_registers__green_power') }}
),

institution_years as (
    select * from {{ ref('institution_year') }}
),

audits as (
    select * from {{ ref('core_audit_value') }} where item_code = 'electricity' and period_kind = 'year'
),

audited_cells as (
    select * from {{ ref('stg_energy_audit__values') }}
),

choices as (
    select * from {{ ref('core_source_choice') }} where chosen_source <> 'reported'
),

counted as (
    select
        cells.*,
        amounts.return_kind
    from cells
    inner join amounts
        using (form_code, institution_id_scheme, institution_id, catalog_item_id, item_code, year)
),

---------- flows: the annual cells, else the months and quarters that make up the sum

-- a quarter is its three months; else the quarterly return; else the months there are
quarters as (
    select
        form_code,
        institution_id_scheme,
        institution_id,
        catalog_item_id,
        item_code,
        year,
        case period_kind when 'quarter' then period_index else (period_index + 2) // 3 end as quarter,
        count(distinct period_index) filter (where period_kind = 'month') < 3
            and bool_or(period_kind = 'quarter') as is_quarterly
    from counted
    where return_kind <> 'annual' and period_kind in ('month', 'quarter')
    group by all
    having bool_or(period_kind = 'quarter')
),

flows as (
    select counted.*
    from counted
    left join quarters
        on counted.form_code = quarters.form_code
        and counted.institution_id_scheme = quarters.institution_id_scheme
        and counted.institution_id = quarters.institution_id
        and counted.catalog_item_id = quarters.catalog_item_id
        and counted.item_code = quarters.item_code
        and counted.year = quarters.year
        and quarters.quarter
            = case counted.period_kind when 'quarter' then counted.period_index else (counted.period_index + 2) // 3 end
    where counted.measure in ('amount', 'cost')
        and counted.period_kind = case
            when counted.return_kind = 'annual' then 'year'
            when quarters.is_quarterly then 'quarter'
            else 'month'
        end
),

---------- stocks: the annual return, else the last part; of the cells of one record the first

stocks as (
    select *
    from counted
    where measure not in ('amount', 'cost')
    qualify dense_rank() over (
            partition by form_code, institution_id_scheme, institution_id, catalog_item_id, item_code, year
            order by
                period_kind = 'year' desc,
                case period_kind when 'quarter' then period_index * 3 else period_index end desc,
                period_kind
        ) = 1
        and (
            record_kind = 'operation'
            or column_number = min(column_number) over (
                partition by
                    form_code, institution_id_scheme, institution_id, catalog_item_id, item_code, year, period_kind,
                    period_index, file_id, sheet, row_number
            )
        )
),

-- generation stated in the supplement stands before that of data rooms
stated_generation as (
    select distinct institution_id_scheme, institution_id, year
    from flows
    where carrier = 'photovoltaic_generation' and form_role <> 'part'
),

reported as (
    select flows.*
    from flows
    left join stated_generation using (institution_id_scheme, institution_id, year)
    where not (flows.carrier = 'photovoltaic_generation' and flows.form_role = 'part' and stated_generation.year is not null)

    union all

    select * from stocks
),

---------- what the register says where no return does

registered as (
    select
        institutions.institution_id_scheme,
        institutions.institution_id,
        institutions.year,
        institutions.register_file_id as file_id,
        institutions.register_path as path,
        institutions.register_row_number as row_number,
        unnest([
            struct_pack(
                carrier := 'floor_area', measure := 'area', amount := institutions.floor_area_m2, unit := 'm2',
                value_text := register.floor_area_text, unit_text := register.floor_area_unit
            ),
            struct_pack(
                carrier := 'energy_users', measure := 'persons', amount := institutions.energy_users_persons,
                unit := 'person', value_text := register.persons_text, unit_text := null
            )
        ], recursive := true)
    from institutions
    inner join register
        on institutions.register_file_id = register.file_id
        and institutions.register_row_number = register.row_number
        and institutions.institution_id = register.institution_id
),

---------- green power by document, and what of it is more than was bought

green as (
    select
        institution_years.institution_id_scheme,
        institution_years.institution_id,
        institution_years.year,
        green_power.green_power_id,
        green_power.volume_kwh,
        green_lines.file_id,
        green_lines.path,
        green_lines.sheet,
        green_lines.row_number,
        green_lines.volume_text,
        green_lines.volume_unit
    from institution_years
    inner join green_power
        on institution_years.institution_id = green_power.institution_id
        and institution_years.year = green_power.year
    inner join green_lines
        on green_power.green_power_id = green_lines.green_power_id
        and green_power.path = green_lines.path
        and green_power.row_number = green_lines.row_number
    where institution_years.green_electricity_kwh is not null
),

beyond as (
    select
        institution_years.institution_id_scheme,
        institution_years.institution_id,
        institution_years.year,
        any_value(institution_years.green_electricity_kwh) - sum(green.volume_kwh) as amount
    from institution_years
    inner join green using (institution_id_scheme, institution_id, year)
    group by institution_years.institution_id_scheme, institution_years.institution_id, institution_years.year
    having any_value(institution_years.green_electricity_kwh) <> sum(green.volume_kwh)
),

---------- amounts of another source than the return: what was reported is shown and not counted

chosen as (
    select choices.*, audited.file_id, audited.path, audited.sheet, audited.row_number, audited.column_number
    from choices
    left join {{ ref('core_source_amount') }} as audited
        on choices.chosen_source = 'audited'
        and choices.institution_id_scheme = audited.institution_id_scheme
        and choices.institution_id = audited.institution_id
        and choices.carrier = audited.carrier
        and choices.year = audited.year
        and audited.period_kind = 'year'
    where choices.chosen_amount is not null
),

passed_over as (
    select distinct institution_id_scheme, institution_id, year, carrier, 'amount' as measure, true as is_passed_over from choices
),

united as (
    select
        institution_id_scheme, institution_id, year, form_code,
        case when passed_over.is_passed_over and form_role <> 'part' then 'not_chosen' else form_role end as form_role,
        catalog_item_id, item_code, carrier, measure,
        period_kind, period_index, amount, unit, value_text, unit_text, conversion_id, correction_id, layout_id,
        file_id, path, sheet, row_number, column_number
    from reported
    left join passed_over using (institution_id_scheme, institution_id, year, carrier, measure)

    union all by name

    select
        institution_id_scheme, institution_id, year, 'chosen' as form_role, chosen_source as item_code, carrier,
        'amount' as measure, 'year' as period_kind, chosen_amount as amount, unit, file_id, path, sheet, row_number,
        column_number
    from chosen

    union all by name

    select *, 'register' as form_role, carrier as item_code, 'year' as period_kind
    from registered
    anti join (select distinct institution_id_scheme, institution_id, year, carrier, measure from stocks where form_role <> 'part') as stated
        using (institution_id_scheme, institution_id, year, carrier, measure)
    where amount is not null

    union all by name

    select
        institution_id_scheme, institution_id, year, 'register' as form_role, green_power_id as item_code,
        'green_electricity' as carrier, 'amount' as measure, 'year' as period_kind, volume_kwh as amount, 'kWh' as unit,
        volume_text as value_text, volume_unit as unit_text, file_id, path, sheet, row_number
    from green

    union all by name

    select
        institution_id_scheme, institution_id, year, 'limit' as form_role, 'not_more_than_bought' as item_code,
        'green_electricity' as carrier, 'amount' as measure, 'year' as period_kind, amount, 'kWh' as unit
    from beyond

    union all by name

    select
        institutions.institution_id_scheme, institutions.institution_id, institutions.year, audits.table_code as form_code,
        'audit' as form_role, audits.item_code, audits.carrier, audits.measure, audits.period_kind, audits.amount, audits.unit,
        audited_cells.value_text, audited_cells.unit_text, audited_cells.correction_id, audited_cells.layout_id,
        audits.file_id, audits.path, audits.sheet, audits.row_number, audits.column_number
    from audits
    inner join institutions
        on audits.institution_id = institutions.institution_id
        and audits.year = institutions.year
    inner join audited_cells
        on audits.file_id = audited_cells.file_id
        and audits.sheet is not distinct from audited_cells.sheet
        and audits.row_number = audited_cells.row_number
        and audits.column_number = audited_cells.column_number
        and audits.institution_id = audited_cells.institution_id
        and audits.item_code = audited_cells.item_code
        and audits.year = audited_cells.year
        and audited_cells.period_kind = 'year'
),

final as (
    select
        ---------- ids
        institution_id_scheme,
        institution_id,
        cast(year as integer) as year,
        carrier,
        measure,
        cast(row_number() over (
            partition by institution_id_scheme, institution_id, year, carrier, measure
            order by form_role, form_code, catalog_item_id, item_code, period_kind, period_index, path, sheet, row_number,
                column_number
        ) as integer) as part_number,
        form_role,
        form_code,
        nullif(catalog_item_id, '') as catalog_item_id,
        item_code,

        ---------- period
        period_kind,
        case when period_kind <> 'year' then cast(period_index as integer) end as period_number,

        ---------- amount
        cast(amount as decimal(18,4)) as counted_amount,
        unit,
        value_text,
        unit_text,
        conversion_id,
        correction_id,

        ---------- place
        file_id,
        path,
        sheet,
        cast(row_number as integer) as row_number,
        cast(column_number as integer) as column_number,
        {{ cell('column_number', 'row_number') }} as cell,
        layout_id
    from united
)

select * from final
