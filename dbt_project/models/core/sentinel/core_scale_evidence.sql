{#- What speaks for or against the scale of an amount or cost: for each cell that at least one strong kind of evidence
    finds far off, the amount that each kind would expect. Nothing here changes a figure. Ratios are doubles: they
    judge, they are never summed. -#}
with

cells as (
    select *, cast(amount as double) as level from {{ ref('core_amount_cell') }}
),

-- totals since January are a finding of their own: they have no price and say nothing about one
cumulative as (
    select cell_number from {{ ref('core_cumulative_cell') }}
),

kinds as (
    select * from {{ ref('scale_evidence_kinds') }}
),

limits as (
    select
        max(limit_value) filter (where limit_key = 'scale_peers_min_institutions') as min_institutions
    from {{ ref('method_limits') }}
),

amounts as (
    select * from {{ ref('core_reported_amount') }}
),

items as (
    select distinct form_code, item_code, part_of from {{ ref('direct_report_items') }} where part_of is not null
),

---------- what one unit cost

pairs as (
    select
        amount_cells.cell_number as amount_cell_number,
        cost_cells.cell_number as cost_cell_number,
        amount_cells.level as amount_level,
        cost_cells.level as cost_level,
        cost_cells.level / amount_cells.level as price,
        amount_cells.source,
        amount_cells.form_code,
        amount_cells.institution_id_scheme,
        amount_cells.institution_id,
        amount_cells.carrier,
        amount_cells.base_carrier,
        amount_cells.year
    from cells as amount_cells
    inner join cells as cost_cells
        on amount_cells.file_id = cost_cells.file_id
        and amount_cells.source = cost_cells.source
        and amount_cells.form_code is not distinct from cost_cells.form_code
        and amount_cells.institution_id_scheme = cost_cells.institution_id_scheme
        and amount_cells.institution_id = cost_cells.institution_id
        and amount_cells.carrier = cost_cells.carrier
        and amount_cells.year = cost_cells.year
        and amount_cells.period_kind = cost_cells.period_kind
        and amount_cells.period_index = cost_cells.period_index
    where amount_cells.measure = 'amount'
        and cost_cells.measure = 'cost'
        and amount_cells.cell_number not in (select cell_number from cumulative)
        and cost_cells.cell_number not in (select cell_number from cumulative)
),

-- one price per institution first, so that who reports by month has no more votes
institution_prices as (
    select
        base_carrier,
        year,
        institution_id_scheme,
        institution_id,
        median(price) as price
    from pairs
    group by all
),

usual_prices as (
    select
        base_carrier,
        year,
        median(price) as price,
        count(*) as n_institutions
    from institution_prices
    group by all
),

-- where too few have a price in the year: what the others pay in any year; it only tips the scale
few_prices as (
    select
        here.base_carrier,
        here.year,
        here.institution_id_scheme,
        here.institution_id,
        median(there.price) as price,
        count(distinct (there.institution_id_scheme, there.institution_id)) as n_institutions
    from institution_prices as here
    inner join usual_prices
        on here.base_carrier = usual_prices.base_carrier
        and here.year = usual_prices.year
    inner join institution_prices as there
        on here.base_carrier = there.base_carrier
        and (here.institution_id_scheme, here.institution_id) <> (there.institution_id_scheme, there.institution_id)
    cross join limits
    where usual_prices.n_institutions < limits.min_institutions
    group by all
),

own_prices as (
    select
        amount_cell_number,
        cost_cell_number,
        amount_level,
        cost_level,
        count(*) over in_series as n_compared,
        -- of two the other one; of more the median, in which one slipped price has no say
        case
            when n_compared > 2 then median(price) over in_series
            when n_compared = 2 then
                case when price = max(price) over in_series then min(price) over in_series
                    else max(price) over in_series end
        end as usual_price
    from pairs
    window in_series as (
        partition by source, form_code, institution_id_scheme, institution_id, carrier
    )
),

priced as (
    select amount_cell_number, cost_cell_number, amount_level, cost_level, 'price_own' as evidence_kind,
        usual_price, n_compared
    from own_prices
    where usual_price is not null

    union all

    select pairs.amount_cell_number, pairs.cost_cell_number, pairs.amount_level, pairs.cost_level, 'price_peers',
        usual_prices.price, usual_prices.n_institutions
    from pairs
    inner join usual_prices
        on pairs.base_carrier = usual_prices.base_carrier
        and pairs.year = usual_prices.year
    cross join limits
    where usual_prices.n_institutions >= limits.min_institutions

    union all

    select pairs.amount_cell_number, pairs.cost_cell_number, pairs.amount_level, pairs.cost_level, 'price_few',
        few_prices.price, few_prices.n_institutions
    from pairs
    inner join few_prices
        on pairs.base_carrier = few_prices.base_carrier
        and pairs.year = few_prices.year
        and pairs.institution_id_scheme = few_prices.institution_id_scheme
        and pairs.institution_id = few_prices.institution_id
),

---------- the institution's own other figures

in_year as (
    select
        source,
        form_code,
        institution_id_scheme,
        institution_id,
        item_code,
        year,
        max(level) filter (where period_kind = 'year') as annual_level,
        count(*) filter (where period_kind <> 'year') as n_parts,
        sum(n_months) filter (where period_kind <> 'year') as n_part_months,
        sum(level) filter (where period_kind <> 'year') as parts_level,
        -- twelve times the middle month: a single slipped month has no say
        12 * median(level / n_months) filter (where period_kind <> 'year') as parts_year_level,
        coalesce(annual_level, case when n_part_months >= 6 then parts_year_level end) as year_level
    from cells
    group by all
),

beside as (
    select
        cells.*,
        count(*) over in_parts as n_parts_alike,
        median(level) over in_parts as middle_part,
        min(level) over in_parts as least_part,
        max(level) over in_parts as greatest_part,
        count(*) over in_years as n_years_alike,
        median(level) over in_years as middle_year,
        min(level) over in_years as least_year,
        max(level) over in_years as greatest_year
    from cells
    window
        in_parts as (
            partition by source, form_code, institution_id_scheme, institution_id, item_code, year, period_kind
        ),
        in_years as (
            partition by source, form_code, institution_id_scheme, institution_id, item_code, period_kind, period_index,
                case when source = 'energy_audit' then file_id end
        )
),

other_years as (
    select
        here.source,
        here.form_code,
        here.institution_id_scheme,
        here.institution_id,
        here.item_code,
        here.year,
        median(there.year_level) as year_level,
        count(*) as n_compared
    from in_year as here
    inner join in_year as there
        on here.source = there.source
        and here.form_code is not distinct from there.form_code
        and here.institution_id_scheme = there.institution_id_scheme
        and here.institution_id = there.institution_id
        and here.item_code = there.item_code
        and here.year <> there.year
        and there.year_level is not null
    group by all
),

compared as (
    select
        beside.*,
        in_year.annual_level,
        in_year.parts_level,
        in_year.n_part_months,
        in_year.parts_year_level,
        in_year.n_parts,
        other_years.year_level as other_year_level,
        other_years.n_compared as n_other_years
    from beside
    inner join in_year
        on beside.source = in_year.source
        and beside.form_code is not distinct from in_year.form_code
        and beside.institution_id_scheme = in_year.institution_id_scheme
        and beside.institution_id = in_year.institution_id
        and beside.item_code = in_year.item_code
        and beside.year = in_year.year
    left join other_years
        on beside.source = other_years.source
        and beside.form_code is not distinct from other_years.form_code
        and beside.institution_id_scheme = other_years.institution_id_scheme
        and beside.institution_id = other_years.institution_id
        and beside.item_code = other_years.item_code
        and beside.year = other_years.year
),

---------- a whole and its parts in one line (gasoline 150 = 1501 + 1502)

parts as (
    select
        cells.cell_number,
        cells.file_id,
        cells.form_code,
        cells.institution_id_scheme,
        cells.institution_id,
        cells.year,
        cells.period_kind,
        cells.period_index,
        cells.level,
        items.part_of,
        sum(cells.level) over in_whole as parts_level,
        count(*) over in_whole as n_parts
    from cells
    inner join items
        on cells.form_code = items.form_code
        and cells.item_code = items.item_code
    window in_whole as (
        partition by cells.file_id, cells.form_code, cells.institution_id_scheme, cells.institution_id, cells.year,
            cells.period_kind, cells.period_index, items.part_of
    )
),

wholes as (
    select
        parts.cell_number as part_cell_number,
        cells.cell_number as whole_cell_number,
        cells.level - (parts.parts_level - parts.level) as part_expected,
        parts.parts_level as whole_expected,
        parts.n_parts
    from parts
    inner join cells
        on parts.file_id = cells.file_id
        and parts.form_code is not distinct from cells.form_code
        and parts.institution_id_scheme = cells.institution_id_scheme
        and parts.institution_id = cells.institution_id
        and parts.year = cells.year
        and parts.period_kind = cells.period_kind
        and parts.period_index = cells.period_index
        and parts.part_of = cells.item_code
),

---------- amount per floor area of everybody

areas as (
    select
        institution_id_scheme,
        institution_id,
        median(cast(amount as double)) as floor_area_m2
    from amounts
    where measure = 'area' and carrier = 'floor_area' and amount > 0
    group by all
),

institution_intensities as (
    select
        in_year.form_code,
        in_year.item_code,
        in_year.year,
        in_year.institution_id_scheme,
        in_year.institution_id,
        in_year.year_level / areas.floor_area_m2 as intensity
    from in_year
    inner join areas
        on in_year.institution_id_scheme = areas.institution_id_scheme
        and in_year.institution_id = areas.institution_id
    where in_year.source = 'direct_report' and in_year.year_level is not null
),

usual_intensities as (
    select
        form_code,
        item_code,
        year,
        median(intensity) as intensity,
        count(*) as n_institutions
    from institution_intensities
    group by all
),

-- everybody of the year; where they are too few, the others of any year
intensities as (
    select
        here.form_code,
        here.item_code,
        here.year,
        here.institution_id_scheme,
        here.institution_id,
        any_value(usual_intensities.intensity) as intensity,
        any_value(usual_intensities.n_institutions) as n_institutions
    from institution_intensities as here
    inner join usual_intensities
        on here.form_code is not distinct from usual_intensities.form_code
        and here.item_code = usual_intensities.item_code
        and here.year = usual_intensities.year
    cross join limits
    where usual_intensities.n_institutions >= limits.min_institutions
    group by all

    union all

    select
        here.form_code,
        here.item_code,
        here.year,
        here.institution_id_scheme,
        here.institution_id,
        median(there.intensity),
        count(distinct (there.institution_id_scheme, there.institution_id))
    from institution_intensities as here
    inner join usual_intensities
        on here.form_code is not distinct from usual_intensities.form_code
        and here.item_code = usual_intensities.item_code
        and here.year = usual_intensities.year
    inner join institution_intensities as there
        on here.form_code is not distinct from there.form_code
        and here.item_code = there.item_code
        and (here.institution_id_scheme, here.institution_id) <> (there.institution_id_scheme, there.institution_id)
    cross join limits
    where usual_intensities.n_institutions < limits.min_institutions
    group by all
),

---------- the other source

audited as (
    select
        institution_id,
        carrier,
        year,
        median(level) as level
    from cells
    where source = 'energy_audit' and measure = 'amount'
    group by all
),

expected as (
    select amount_cell_number as cell_number, evidence_kind, cost_level / usual_price as expected_amount, n_compared
    from priced

    union all

    select cost_cell_number, evidence_kind, amount_level * usual_price, n_compared
    from priced

    union all

    select
        cell_number,
        'months_against_year',
        case when period_kind = 'year' then parts_level else annual_level - (parts_level - level) end,
        n_parts
    from compared
    where annual_level is not null and n_part_months = 12

    union all

    select
        cell_number,
        'neighbours',
        case
            when period_kind = 'year' then parts_year_level
            when n_parts_alike > 2 then middle_part
            when level = greatest_part then least_part
            else greatest_part
        end,
        case when period_kind = 'year' then n_parts else n_parts_alike - 1 end
    from compared
    where (period_kind = 'year' and n_part_months >= 6) or (period_kind <> 'year' and n_parts_alike > 1)

    union all

    select
        cell_number,
        'history',
        case
            when n_years_alike > 2 then middle_year
            when n_years_alike = 2 and level = greatest_year then least_year
            when n_years_alike = 2 then greatest_year
            else other_year_level * n_months / 12
        end,
        case when n_years_alike > 1 then n_years_alike - 1 else n_other_years end
    from compared
    where n_years_alike > 1 or other_year_level is not null

    union all

    select part_cell_number, 'parts', part_expected, n_parts from wholes

    union all

    select distinct whole_cell_number, 'parts', whole_expected, n_parts from wholes

    union all

    select compared.cell_number, 'other_source', audited.level, 1
    from compared
    inner join audited
        on compared.institution_id = audited.institution_id
        and compared.carrier = audited.carrier
        and compared.year = audited.year
    where compared.source = 'direct_report' and compared.measure = 'amount' and compared.period_kind = 'year'

    union all

    select compared.cell_number, 'other_source', cast(amounts.amount as double), 1
    from compared
    inner join amounts
        on compared.institution_id = amounts.institution_id
        and compared.carrier = amounts.carrier
        and compared.year = amounts.year
        and amounts.measure = 'amount'
        and amounts.months_reported = 12
    where compared.source = 'energy_audit' and compared.measure = 'amount'

    union all

    select
        compared.cell_number,
        'peers',
        intensities.intensity * areas.floor_area_m2 * compared.n_months / 12,
        intensities.n_institutions
    from compared
    inner join areas
        on compared.institution_id_scheme = areas.institution_id_scheme
        and compared.institution_id = areas.institution_id
    inner join intensities
        on compared.form_code is not distinct from intensities.form_code
        and compared.item_code = intensities.item_code
        and compared.year = intensities.year
        and compared.institution_id_scheme = intensities.institution_id_scheme
        and compared.institution_id = intensities.institution_id
    where compared.source = 'direct_report'
),

judged as (
    select
        expected.cell_number,
        expected.evidence_kind,
        expected.expected_amount,
        expected.n_compared,
        cells.level / expected.expected_amount as found_ratio,
        abs(ln(found_ratio)) > ln(kinds.far_ratio) as is_far,
        kinds.is_strong
    from expected
    inner join cells on expected.cell_number = cells.cell_number
    inner join kinds on expected.evidence_kind = kinds.evidence_kind
    where expected.expected_amount > 0 and not cells.is_corrected
    qualify bool_or(is_far and kinds.is_strong) over (partition by expected.cell_number)
),

final as (
    select
        ---------- ids
        cell_number,
        evidence_kind,

        ---------- amounts
        expected_amount,
        found_ratio,

        ---------- counts
        cast(n_compared as bigint) as n_compared,

        ---------- booleans
        is_far
    from judged
)

select * from final
