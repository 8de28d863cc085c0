{#- The mend that the evidence on a cell agrees on: a unit or a power of ten that brings the value back beside at least
    one strong kind of evidence and takes it away from none. It is proposed, with the line that would apply it, and
    never applied: no table of figures reads this one. -#}
with

cells as (
    select * from {{ ref('core_amount_cell') }}
),

evidence as (
    select * from {{ ref('core_scale_evidence') }}
),

kinds as (
    select * from {{ ref('scale_evidence_kinds') }}
),

slips as (
    select * from {{ ref('scale_slips') }}
),

units as (
    select * from {{ ref('unit_conversions') }}
),

carrier_conversions as (
    select * from {{ ref('carrier_conversions') }}
),

cumulative as (
    select * from {{ ref('core_cumulative_cell') }}
),

-- what one of a unit is worth in the unit of the cell's item: by its own quantity, else through the carrier
suspected as (
    select cells.*
    from cells
    semi join evidence on cells.cell_number = evidence.cell_number
    anti join cumulative on cells.cell_number = cumulative.cell_number
),

worths as (
    select
        suspected.cell_number,
        units.unit_text,
        cast(units.multiplier as double) * case
            when units.canonical_unit = suspected.unit then 1
            else cast(carrier_conversions.multiplier as double)
        end as worth
    from suspected
    inner join units
        on units.unit_text = suspected.unit_text
        or units.unit_text in (select proposed_unit from slips)
    left join carrier_conversions
        on suspected.base_carrier = carrier_conversions.carrier
        and units.canonical_unit = carrier_conversions.from_unit
        and suspected.unit = carrier_conversions.to_unit
    where units.canonical_unit = suspected.unit or carrier_conversions.multiplier is not null
),

candidates as (
    select
        suspected.cell_number,
        slips.slip_id,
        slips.proposed_unit,
        slips.multiplier as number_multiplier,
        slips.needs_price,
        slips.near_ratio as slip_near_ratio,
        slips.handicap,
        coalesce(cast(slips.multiplier as double), proposed.worth / found.worth) as worth_ratio
    from suspected
    inner join slips
        on slips.carrier in ('*', suspected.base_carrier)
        and slips.measure in ('*', suspected.measure)
        and slips.unit in ('*', suspected.unit)
    left join worths as found
        on suspected.cell_number = found.cell_number
        and suspected.unit_text = found.unit_text
    left join worths as proposed
        on suspected.cell_number = proposed.cell_number
        and slips.proposed_unit = proposed.unit_text
),

-- a unit worth as much as the written one, or nearly (kg for L of petrol), is no slip of scale
weighed as (
    select
        candidates.*,
        evidence.evidence_kind,
        evidence.expected_amount,
        evidence.n_compared,
        evidence.found_ratio,
        evidence.found_ratio * candidates.worth_ratio as mended_ratio,
        kinds.is_strong,
        kinds.is_price,
        kinds.is_anchor,
        kinds.is_own_year,
        abs(ln(mended_ratio)) / ln(least(kinds.near_ratio, candidates.slip_near_ratio)) as distance,
        abs(ln(mended_ratio)) > ln(kinds.far_ratio) as is_far_mended,
        evidence.is_far
            and abs(ln(mended_ratio)) <= ln(case
                when kinds.is_price or candidates.needs_price then least(kinds.near_ratio, candidates.slip_near_ratio)
                else kinds.near_ratio
            end) as is_support,
        not evidence.is_far and is_far_mended as is_contradiction
    from candidates
    inner join evidence on candidates.cell_number = evidence.cell_number
    inner join kinds on evidence.evidence_kind = kinds.evidence_kind
    where abs(ln(candidates.worth_ratio)) > ln(2)
),

tallied as (
    select
        cell_number,
        slip_id,
        any_value(proposed_unit) as proposed_unit,
        any_value(number_multiplier) as number_multiplier,
        any_value(worth_ratio) as worth_ratio,
        bool_or(needs_price) as needs_price,
        count(*) filter (where is_support and is_strong) as n_supporting,
        count(*) filter (where is_support and not is_strong) as n_weak_supporting,
        count(*) filter (where is_support and is_price and is_strong) as n_prices_supporting,
        count(*) filter (where is_support and is_anchor) as n_anchors_supporting,
        -- a whole year written in the wrong unit agrees with itself: what others pay then outweighs it
        count(*) filter (where is_contradiction and is_strong and is_own_year) as n_own_contradicting,
        count(*) filter (where is_contradiction and is_strong and not is_own_year) as n_other_contradicting,
        count(*) filter (where is_contradiction and not is_strong) as n_weak_contradicting,
        count(*) filter (where is_far_mended and is_strong) as n_unexplained,
        sum(1 - distance) filter (where is_strong) - any_value(cast(handicap as double)) as closeness,
        1 - sum(least(distance, 1)) filter (where is_strong) / count(*) filter (where is_strong) as score,
        to_json(list({
            'kind': evidence_kind,
            'expected': expected_amount,
            'compared_with': n_compared,
            'ratio_found': found_ratio,
            'ratio_mended': mended_ratio,
            'says': case
                when is_support then 'supports' when is_contradiction then 'contradicts' else 'silent'
            end
        } order by evidence_kind)) as evidence_json
    from weighed
    group by cell_number, slip_id
),

agreed as (
    select *
    from tallied
    where n_supporting > 0
        and n_other_contradicting = 0
        and (n_own_contradicting = 0 or n_anchors_supporting > 0)
        and (n_weak_contradicting = 0 or n_supporting > 1)
        and (not needs_price or n_prices_supporting > 0)
    -- the mend that comes nearest; of equals the unit before the bare power of ten
    qualify row_number() over (
        partition by cell_number
        order by n_supporting desc, round(closeness, 6) desc, proposed_unit is null, slip_id
    ) = 1
),

located as (
    select
        cells.*,
        agreed.* exclude (cell_number)
    from agreed
    inner join cells on agreed.cell_number = cells.cell_number
),

-- An amount and its cost, or one year and another, can both be the wrong one: the better supported is proposed;
-- in doubt the amount, and the newer year, which fewer people have seen.
one_of_a_pair as (
    select *
    from located
    qualify row_number() over (
        partition by source, file_id, form_code, institution_id_scheme, institution_id, carrier, year, period_kind,
            period_index, n_prices_supporting > 0, case when n_prices_supporting = 0 then measure end
        order by n_supporting desc, n_weak_supporting desc, n_weak_contradicting, n_unexplained, measure
    ) = 1
),

one_of_two_years as (
    select *
    from one_of_a_pair
    qualify n_anchors_supporting > 0 or (worth_ratio > 1) = first_value(worth_ratio > 1) over (
        partition by source, form_code, institution_id_scheme, institution_id, item_code, period_kind, period_index,
            n_anchors_supporting > 0
        order by n_supporting desc, n_weak_supporting desc, n_weak_contradicting, year desc
    )
),

rescaled as (
    select
        cell_number,
        slip_id,
        cast(amount as double) * worth_ratio as proposed_amount,
        proposed_unit,
        try(cast(cast(number_text as decimal(19,6)) * cast(number_multiplier as decimal(18,8)) as decimal(38,10)))
            as proposed_number,
        evidence_json,
        n_supporting,
        score
    from one_of_two_years
),

differenced as (
    select
        cell_number,
        'CUMULATIVE',
        proposed_amount,
        null,
        cast(proposed_number_text as decimal(38,10)),
        to_json([{
            'kind': 'cumulative',
            'expected': expected_amount,
            'compared_with': n_parts,
            'ratio_found': found_ratio,
            'ratio_mended': mended_ratio,
            'says': 'supports'
        }]),
        1,
        1 - abs(ln(mended_ratio))
    from cumulative
    where not is_first and proposed_number_text is not null
),

named as (
    select
        cells.*,
        mends.* exclude (cell_number),
        slips.name_zh as slip_name_zh,
        slips.name_en as slip_name_en,
        regexp_replace(regexp_replace(cast(mends.proposed_number as varchar), '(\.\d*?)0+$', '\1'), '\.$', '')
            as proposed_number_text
    from (select * from rescaled union all select * from differenced) as mends
    inner join cells on mends.cell_number = cells.cell_number
    inner join slips on mends.slip_id = slips.slip_id
),

final as (
    select
        ---------- ids
        source,
        file_id,
        form_code,
        institution_id_scheme,
        institution_id,
        item_code,
        slip_id,

        ---------- place
        path,
        sheet,
        row_number,
        column_number,
        cell,
        value_text,
        unit_text,

        ---------- period
        year,
        period_kind,
        period_index,

        ---------- texts
        carrier,
        measure,
        unit,

        ---------- amounts
        amount,
        proposed_amount,
        proposed_unit,
        proposed_number_text,

        ---------- evidence
        slip_name_zh,
        slip_name_en,
        cast(evidence_json as varchar) as evidence_json,
        cast(n_supporting as bigint) as n_supporting,
        score
    from named
)

select * from final
