{#- Every institution, carrier and period: what each source says, which one figures are made of and why, and whether the others
    agree with it. A year where any source has one; a part of a year where two have it. -#}
with

reported as not materialized (
    select * from {{ ref('core_reported_amount') }} where measure = 'amount' and amount is not null
),

cells as not materialized (
    select * from {{ ref('core_direct_report_cells') }}
    where cell_state = 'used' and form_role = 'return' and measure = 'amount' and amount is not null
),

others as (
    select * from {{ ref('core_source_amount') }}
),

choices as (
    select * from {{ ref('core_source_choice') }}
),

heating as (
    select * from {{ ref('core_heating') }} where has_unmeasured_heat
),

summaries as (
    select * from {{ ref('core_summary_reconciliation') }}
),

forms as (
    select * from {{ ref('direct_report_forms') }}
),

-- an item is the same in every edition of its form
items as (
    select distinct form_code, item_code, carrier from {{ ref('direct_report_items') }} where measure = 'amount'
),

carriers as (
    select * from {{ ref('carriers') }}
),

institutions as (
    select * from {{ ref('core_institution') }}
),

reasons as (
    select * from {{ ref('reconciliation_reasons') }}
),

limits as (
    select
        max(limit_value) filter (where limit_key = 'reconciliation_tolerance_share') as tolerance_share,
        max(limit_value) filter (where limit_key = 'metered_whole_period_min_share') as whole_period_min_share
    from {{ ref('method_limits') }}
),

tolerances as (
    select distinct precedence_id, cast(tolerance_share as decimal(18,8)) as tolerance_share
    from {{ source('control', 'profile_precedence') }}
),

---------- what stands beside the reported amounts; little of it

-- the total column of a summary, at the authority that sent it
totals as (
    select
        summaries.institution_id_scheme,
        summaries.institution_id,
        items.carrier,
        summaries.year,
        summaries.period_kind,
        summaries.period_index,
        sum(summaries.summary_amount) as summary_amount,
        sum(summaries.base_amount) as returns_below_amount
    from summaries
    inner join forms on summaries.form_code = forms.form_code
    inner join forms as base_forms on forms.base_form_code = base_forms.form_code and base_forms.form_role = 'return'
    inner join items
        on forms.base_form_code = items.form_code
        and summaries.base_item_code = items.item_code
    where summaries.class_column_code = 'S001'
    group by all
),

unmeasured as (
    select
        institution_id_scheme,
        institution_id,
        'heat' as carrier,
        year,
        'year' as period_kind,
        0 as period_index,
        heat_billed_by_area_cny as unmeasured_cost_cny,
        area_billed_by_area_m2 as unmeasured_area_m2
    from heating
),

beside as (
    select *
    from others
    full join totals using (institution_id_scheme, institution_id, carrier, year, period_kind, period_index)
    full join unmeasured using (institution_id_scheme, institution_id, carrier, year, period_kind, period_index)
),

---------- years

vehicle_parts as (
    select
        reported.institution_id_scheme,
        reported.institution_id,
        carriers.base_carrier as carrier,
        reported.year,
        sum(reported.amount) as vehicle_amount
    from reported
    inner join carriers on reported.carrier = carriers.carrier and carriers.is_vehicle_part
    semi join beside
        on reported.institution_id_scheme = beside.institution_id_scheme
        and reported.institution_id = beside.institution_id
        and reported.year = beside.year
        and carriers.base_carrier = beside.carrier
    group by all
),

reported_years as not materialized (
    select
        institution_id_scheme,
        institution_id,
        carrier,
        year,
        amount as reported_amount,
        unit as reported_in,
        months_reported
    from reported
),

years as (
    select *
    from reported_years
    full join (select * from beside where period_kind = 'year') as beside
        using (institution_id_scheme, institution_id, carrier, year)
),

---------- parts of a year, where a second source has them too

reported_parts as (
    select
        cells.institution_id_scheme,
        cells.institution_id,
        cells.carrier,
        cast(cells.year as integer) as year,
        cells.period_kind,
        cast(cells.period_index as integer) as period_index,
        sum(cells.amount) as reported_amount,
        any_value(cells.unit) as reported_in
    from cells
    semi join beside
        on cells.period_kind = beside.period_kind
        and cells.institution_id = beside.institution_id
        and cells.institution_id_scheme = beside.institution_id_scheme
        and cells.carrier = beside.carrier
        and cells.year = beside.year
        and cells.period_index = beside.period_index
    where cells.period_kind <> 'year'
    group by all
),

year_parts as (
    select *
    from (select * from beside where period_kind <> 'year') as beside
    left join reported_parts
        using (institution_id_scheme, institution_id, carrier, year, period_kind, period_index)
    where summary_amount is not null
        or (case when reported_amount is null then 0 else 1 end) + (case when metered_amount is null then 0 else 1 end)
            + (case when audited_amount is null then 0 else 1 end) > 1
),

united as (
    select * replace (coalesce(period_kind, 'year') as period_kind, coalesce(period_index, 0) as period_index) from years
    union all by name
    select * from year_parts
),

---------- which one counts

chosen as (
    select
        united.*,
        coalesce(united.unit, united.reported_in, carriers.canonical_unit) as amount_unit,
        institutions.region_code,
        institutions.institution_name,
        institutions.year_starts_on,
        vehicle_parts.vehicle_amount,
        choices.override_id,
        choices.override_reason,
        choices.override_reviewer,
        coalesce(choices.precedence_id, 'default') as precedence_id,
        limits.whole_period_min_share,
        coalesce(tolerances.tolerance_share, limits.tolerance_share) as tolerance_share,
        choices.choice_reason_code as declared_reason_code,
        coalesce(
            choices.chosen_source,
            case when united.reported_amount is not null and institutions.year is not null then 'reported' else 'none' end
        ) as source_of_choice
    from united
    cross join limits
    inner join carriers using (carrier)
    left join institutions using (institution_id_scheme, institution_id, year)
    left join choices using (institution_id_scheme, institution_id, carrier, year)
    left join vehicle_parts using (institution_id_scheme, institution_id, carrier, year)
    left join tolerances on choices.precedence_id = tolerances.precedence_id
),

sourced as (
    select
        * exclude (source_of_choice),
        source_of_choice as chosen_source,
        case
            when declared_reason_code is not null then declared_reason_code
            when source_of_choice = 'reported' then 'reported_stands'
            when coalesce(unmeasured_cost_cny, unmeasured_area_m2) is not null then 'not_measured'
            when coalesce(reported_amount, metered_amount, audited_amount) is null then 'summary_only'
            when year_starts_on is null then 'no_return'
            else 'not_reported'
        end as choice_reason_code,
        case source_of_choice
            when 'reported' then reported_amount
            when 'metered' then metered_amount
            when 'audited' then audited_amount
        end as chosen_amount
    from chosen
),

---------- what meters and returns are about, where that is not the same thing

scoped as (
    select
        *,
        {{ mul('abs(chosen_amount)', 'tolerance_share') }} as tolerated,
        metered_amount is not null and coalesce(vehicle_amount > 0, false) as has_vehicles,
        coalesce(n_metered_buildings < n_registered_buildings, false) as has_unmetered_buildings,
        coalesce(metered_coverage_share < whole_period_min_share, false) as has_uncovered_time,
        coalesce(year_starts_on <> make_date(year, 1, 1), false) as is_fiscal,
        coalesce(months_reported < 12, false) as is_part_of_year,
        unmeasured_cost_cny is not null or unmeasured_area_m2 is not null as has_unmeasured,
        -- meters against returns, whichever of them counts
        metered_amount - (case when chosen_source = 'metered' then reported_amount else chosen_amount end) as metered_gap,
        audited_amount - chosen_amount as audited_gap,
        reported_amount - chosen_amount as reported_gap
    from sourced
),

explained as (
    select
        *,
        is_fiscal
            or (metered_gap < 0 and (
                has_unmetered_buildings or has_uncovered_time
                or (has_vehicles and abs(metered_gap + vehicle_amount) <= tolerated)))
            or (metered_gap > 0 and (is_part_of_year or has_unmeasured)) as is_metered_explained,
        is_fiscal or (audited_gap > 0 and (is_part_of_year or has_unmeasured)) as is_audited_explained,
        abs(coalesce(metered_gap, 0)) > tolerated as is_metered_apart,
        abs(coalesce(audited_gap, 0)) > tolerated as is_audited_apart,
        abs(coalesce(reported_gap, 0)) > tolerated as is_reported_apart,
        (case when reported_amount is null then 0 else 1 end) + (case when metered_amount is null then 0 else 1 end)
            + (case when audited_amount is null then 0 else 1 end) as n_sources
    from scoped
),

classed as (
    select
        *,
        case
            when chosen_source = 'undecided' then 'undecided'
            when n_sources = 0 and has_unmeasured then 'not_measured'
            when n_sources = 0 then 'summary_only'
            when n_sources = 1 then 'single_source'
            when chosen_amount is null then 'none_chosen'
            when is_audited_apart and not is_audited_explained then 'not_matching'
            when is_metered_apart and not is_metered_explained then 'differs'
            when is_reported_apart and chosen_source = 'audited' then 'not_matching'
            when is_metered_apart or is_audited_apart or is_reported_apart then 'explained_by_scope'
            else 'agrees'
        end as agreement_class,
        nullif(concat_ws(', ',
            case when has_vehicles then 'vehicles_outside_meters' end,
            case when has_unmetered_buildings then 'unmetered_buildings' end,
            case when has_uncovered_time then 'meters_part_of_period' end,
            case when is_fiscal then 'fiscal_year' end,
            case when is_part_of_year then 'returns_part_of_year' end,
            case when has_unmeasured then 'heat_by_area' end
        ), '') as scope_reason_codes
    from explained
),

final as (
    select
        ---------- ids
        classed.region_code,
        classed.institution_id_scheme,
        classed.institution_id,
        classed.institution_name,
        classed.carrier,

        ---------- period
        classed.year,
        classed.period_kind,
        cast(classed.period_index as integer) as period_index,

        ---------- what each source says
        classed.amount_unit as unit,
        cast(classed.reported_amount as decimal(18,4)) as reported_amount,
        classed.metered_amount,
        classed.audited_amount,
        cast(classed.summary_amount as decimal(18,4)) as summary_amount,
        cast(classed.returns_below_amount as decimal(18,4)) as returns_below_amount,

        ---------- how much of the institution and the period they see
        classed.months_reported,
        classed.n_months_metered,
        classed.metered_coverage_share,
        classed.metered_area_share,
        classed.n_metered_buildings,
        classed.n_registered_buildings,
        cast(classed.vehicle_amount as decimal(18,4)) as vehicle_amount,
        classed.unmeasured_area_m2,
        classed.unmeasured_cost_cny,

        ---------- the one that figures are made of
        classed.chosen_source,
        cast(classed.chosen_amount as decimal(18,4)) as chosen_amount,
        classed.precedence_id,
        classed.override_id,
        classed.override_reviewer,

        ---------- how far the others are from it
        cast(classed.reported_gap as decimal(18,4)) as reported_difference_amount,
        {{ ratio('classed.reported_gap', 'classed.chosen_amount') }} as reported_difference_share,
        cast(classed.metered_amount - classed.chosen_amount as decimal(18,4)) as metered_difference_amount,
        {{ ratio('classed.metered_amount - classed.chosen_amount', 'classed.chosen_amount') }} as metered_difference_share,
        cast(classed.audited_gap as decimal(18,4)) as audited_difference_amount,
        {{ ratio('classed.audited_gap', 'classed.chosen_amount') }} as audited_difference_share,
        cast(classed.summary_amount - coalesce(classed.returns_below_amount, 0) as decimal(18,4)) as summary_difference_amount,
        classed.tolerance_share,
        cast(classed.tolerated as decimal(18,4)) as tolerance_amount,

        ---------- verdict and reason
        classed.agreement_class,
        classed.scope_reason_codes,
        classed.choice_reason_code,
        case when classed.override_id is null then reasons.text_zh
            else concat(reasons.text_zh, ': ', classed.override_reason) end as reason_zh,
        case when classed.override_id is null then reasons.text_en
            else concat(reasons.text_en, ': ', classed.override_reason) end as reason_en
    from classed
    inner join reasons on classed.choice_reason_code = reasons.reason_code
)

select * from final
