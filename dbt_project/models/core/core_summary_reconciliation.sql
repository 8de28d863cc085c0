{#- Every value of a summary form (NY301 to NY303) beside the sum of the base returns of its region, class and period.
    A control total: it is compared and enters no figure. -#}
with

builds as (
    select * from {{ ref('stg_control__build') }}
),

cells as (
    select * from {{ ref('core_direct_report_cells') }} where cell_state = 'used' and amount is not null
),

amounts as (
    select * from {{ ref('core_form_amount') }} where amount is not null
),

forms as (
    select * from {{ ref('direct_report_forms') }}
),

institutions as (
    select * from {{ ref('core_institution') }}
),

institution_types as (
    select * from {{ ref('institution_types') }}
),

register as (
    select * from {{ ref('core_institution_register') }}
),

region_paths as (
    select * from {{ ref('core_region_path') }} where is_ancestor_group is not true
),

limits as (
    select * from {{ ref('method_limits') }}
),

-- where an authority sits: as its summary says, else as the register does, else the region of the profile
authorities as (
    select
        cells.institution_id_scheme,
        cells.institution_id,
        coalesce(min(cells.region_code), min(register.region_code), min(builds.region_code)) as region_code
    from cells
    cross join builds
    left join register
        on cells.institution_id_scheme is not distinct from register.institution_id_scheme
        and cells.institution_id = register.institution_id
        and not register.is_superseded
    where cells.form_role = 'summary'
    group by cells.institution_id_scheme, cells.institution_id
),

summaries as (
    select
        cells.*,
        forms.base_form_code,
        authorities.region_code as authority_region_code
    from cells
    inner join forms on cells.form_code = forms.form_code
    inner join authorities using (institution_id_scheme, institution_id)
    where cells.form_role = 'summary'
        and (cells.base_item_code is not null or cells.carrier in ('institutions', 'rooms'))
),

-- the class columns that a type is summed in: its own, and the subtotal above its own
class_columns as (
    select institution_type_code, substr(summary_column, 1, 4) as class_column_code from institution_types
    union all
    select parts.institution_type_code, substr(wholes.summary_column, 1, 4)
    from institution_types as parts
    inner join institution_types as wholes on parts.parent_code = wholes.institution_type_code
),

-- every institution is in the total, whatever its type
classed as (
    select institution_id_scheme, institution_id, year, region_code, 'S001' as class_column_code from institutions
    union all
    select
        institutions.institution_id_scheme, institutions.institution_id, institutions.year, institutions.region_code,
        class_columns.class_column_code
    from institutions
    inner join class_columns on institutions.institution_type_code = class_columns.institution_type_code
),

members as (
    select
        classed.institution_id_scheme,
        classed.institution_id,
        classed.year,
        region_paths.ancestor_code as region_code,
        classed.class_column_code
    from classed
    inner join region_paths on classed.region_code = region_paths.region_code
),

-- by year what counts for the year, by month and quarter what was reported for it
base_values as (
    select
        form_code, institution_id_scheme, institution_id, catalog_item_id, item_code, year,
        'year' as period_kind, 0 as period_index, amount
    from amounts
    where form_role in ('return', 'part')

    union all

    select
        form_code, institution_id_scheme, institution_id, catalog_item_id, item_code, year,
        period_kind, period_index, amount
    from cells
    where form_role in ('return', 'part') and period_kind <> 'year'
),

sums as (
    select
        base_values.form_code,
        members.region_code,
        members.class_column_code,
        base_values.year,
        base_values.period_kind,
        base_values.period_index,
        base_values.item_code,
        sum(base_values.amount) as amount,
        count(distinct base_values.institution_id) as n_institutions
    from base_values
    inner join members using (institution_id_scheme, institution_id, year)
    group by all
),

-- how many institutions and rooms there are
counts as (
    select
        base_values.form_code,
        members.region_code,
        members.class_column_code,
        base_values.year,
        base_values.period_kind,
        base_values.period_index,
        count(distinct base_values.institution_id) as n_institutions,
        count(distinct (base_values.institution_id, base_values.catalog_item_id)) as n_records
    from base_values
    inner join members using (institution_id_scheme, institution_id, year)
    group by all
),

compared as (
    select
        summaries.*,
        case
            when summaries.carrier in ('institutions', 'rooms') then counts.n_records
            else sums.amount
        end as base_amount,
        coalesce(sums.n_institutions, counts.n_institutions, 0) as n_base_institutions
    from summaries
    left join sums
        on summaries.base_form_code = sums.form_code
        and summaries.authority_region_code = sums.region_code
        and summaries.catalog_item_id = sums.class_column_code
        and summaries.year = sums.year
        and summaries.period_kind = sums.period_kind
        and summaries.period_index = sums.period_index
        and summaries.base_item_code = sums.item_code
    left join counts
        on summaries.base_form_code = counts.form_code
        and summaries.authority_region_code = counts.region_code
        and summaries.catalog_item_id = counts.class_column_code
        and summaries.year = counts.year
        and summaries.period_kind = counts.period_kind
        and summaries.period_index = counts.period_index
        and summaries.carrier in ('institutions', 'rooms')
),

final as (
    select
        ---------- ids
        compared.form_code,
        compared.institution_id_scheme,
        compared.institution_id,
        compared.authority_region_code as region_code,
        compared.catalog_item_id as class_column_code,
        compared.item_code,
        compared.base_item_code,

        ---------- period
        cast(compared.year as integer) as year,
        compared.period_kind,
        cast(compared.period_index as integer) as period_index,

        ---------- amounts
        compared.unit,
        compared.amount as summary_amount,
        cast(compared.base_amount as decimal(18,4)) as base_amount,
        cast(compared.amount - coalesce(compared.base_amount, 0) as decimal(18,4)) as difference,
        {{ ratio('difference', 'base_amount') }} as difference_share,
        compared.n_base_institutions,

        ---------- booleans
        abs(difference) <= {{ mul('coalesce(abs(compared.base_amount), 0)', 'limits.limit_value') }}
            as is_within_tolerance,

        ---------- place
        compared.file_id,
        compared.path,
        compared.sheet,
        cast(compared.row_number as integer) as row_number,
        cast(compared.column_number as integer) as column_number,
        {{ cell('compared.column_number', 'compared.row_number') }} as cell,
        compared.value_text,
        compared.unit_text
    from compared
    inner join limits on limits.limit_key = 'summary_tolerance_share'
)

select * from final
