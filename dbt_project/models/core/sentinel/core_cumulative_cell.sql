{#- Months or quarters that look like totals since January: they never fall, the last one is what a year holds, and all
    together hold far more. Each cell after the first beside the amount of its own period: itself less the one before. -#}
with

cells as (
    select *, cast(amount as double) as level from {{ ref('core_amount_cell') }}
    where source = 'direct_report'
),

limits as (
    select
        max(limit_value) filter (where limit_key = 'cumulative_min_months') as min_months,
        max(limit_value) filter (where limit_key = 'cumulative_last_max_ratio') as last_max_ratio,
        max(limit_value) filter (where limit_key = 'cumulative_sum_min_ratio') as sum_min_ratio
    from {{ ref('method_limits') }}
),

parts as (
    select * from cells where period_kind <> 'year'
),

annual as (
    select * from cells where period_kind = 'year'
),

followed as (
    select
        *,
        lag(level) over in_time as previous_level,
        lag(number_text) over in_time as previous_number_text,
        lag(unit_text) over in_time as previous_unit_text
    from parts
    window in_time as (
        partition by form_code, institution_id_scheme, institution_id, item_code, year, period_kind
        order by period_index
    )
),

series as (
    select
        form_code,
        institution_id_scheme,
        institution_id,
        item_code,
        year,
        period_kind,
        sum(level) as sum_level,
        max(level) as last_level,
        count(*) as n_parts,
        sum(n_months) as n_months_covered
    from followed
    group by all
    -- without a gap since January, never falling, and rising at all
    having max(period_index) = count(*)
        and bool_and(coalesce(level >= previous_level, true))
        and max(level) > min(level)
        and not bool_or(is_corrected)
),

-- what the months together should hold: the year's own return, else other years by length
expected as (
    select
        series.*,
        coalesce(
            max(annual.level) filter (where annual.year = series.year),
            median(annual.level * series.n_months_covered / 12) filter (where annual.year <> series.year)
        ) as expected_level
    from series
    inner join annual
        on series.form_code is not distinct from annual.form_code
        and series.institution_id_scheme = annual.institution_id_scheme
        and series.institution_id = annual.institution_id
        and series.item_code = annual.item_code
    group by all
),

found as (
    select expected.*
    from expected
    cross join limits
    where n_months_covered >= limits.min_months
        and abs(ln(last_level / expected_level)) <= ln(cast(limits.last_max_ratio as double))
        and sum_level / expected_level >= cast(limits.sum_min_ratio as double)
),

final as (
    select
        ---------- ids
        followed.cell_number,

        ---------- amounts
        followed.level - coalesce(followed.previous_level, 0) as proposed_amount,
        found.expected_level as expected_amount,
        found.sum_level / found.expected_level as found_ratio,
        found.last_level / found.expected_level as mended_ratio,
        case when followed.unit_text is not distinct from followed.previous_unit_text
            then cast(
                cast(followed.number_text as decimal(18,6)) - cast(followed.previous_number_text as decimal(18,6))
            as varchar)
        end as proposed_number_text,

        ---------- counts
        found.n_parts,

        ---------- booleans
        followed.previous_level is null as is_first
    from followed
    inner join found
        on followed.form_code is not distinct from found.form_code
        and followed.institution_id_scheme = found.institution_id_scheme
        and followed.institution_id = found.institution_id
        and followed.item_code = found.item_code
        and followed.year = found.year
        and followed.period_kind = found.period_kind
)

select * from final
