{#- Annual amounts whose source a declared precedence or a reviewer decides. What no declaration is about is not here: there the
    reported amount stands, and nothing where there is none. -#}
with

builds as (
    select * from {{ ref('stg_control__build') }}
),

rules as (
    select * from {{ source('control', 'profile_precedence') }}
),

overrides as (
    select * from {{ source('control', 'precedence_overrides') }}
),

reported as (
    select * from {{ ref('core_reported_amount') }} where measure = 'amount' and amount is not null
),

others as (
    select * from {{ ref('core_source_amount') }} where period_kind = 'year'
),

institutions as (
    select * from {{ ref('core_institution') }}
),

carriers as (
    select * from {{ ref('carriers') }}
),

region_paths as (
    select * from {{ ref('core_region_path') }} where not is_ancestor_group
),

limits as (
    select * from {{ ref('method_limits') }}
),

-- of the regions above an institution that declare something, the nearest
declared as (
    select
        region_paths.region_code,
        rules.* exclude (region_code)
    from rules
    inner join region_paths on rules.region_code = region_paths.ancestor_code
    qualify dense_rank() over (
        partition by region_paths.region_code, rules.carrier order by region_paths.n_steps
    ) = 1
),

declared_about as (
    select distinct region_code, carrier from declared
),

overridden as (
    select distinct institution_id, carrier, year from overrides
),

-- every key that a declaration is about and of which some source says something
keys as (
    select institution_id_scheme, institution_id, carrier, year from reported
    semi join (select carrier from declared_about union select carrier from overridden) as named using (carrier)
    union
    select institution_id_scheme, institution_id, carrier, year from others
    semi join (select carrier from declared_about union select carrier from overridden) as named using (carrier)
),

amounts as (
    select
        keys.*,
        institutions.region_code,
        carriers.canonical_unit as unit,
        reported.amount as reported_amount,
        others.metered_amount,
        others.audited_amount
    from keys
    inner join institutions using (institution_id_scheme, institution_id, year)
    inner join carriers using (carrier)
    left join reported using (institution_id_scheme, institution_id, carrier, year)
    left join others using (institution_id_scheme, institution_id, carrier, year)
),

---------- by precedence

offered as (
    select
        amounts.institution_id_scheme,
        amounts.institution_id,
        amounts.carrier,
        amounts.year,
        declared.precedence_id,
        declared.source_rank,
        declared.place_in_rank,
        declared.source,
        cast(declared.tolerance_share as decimal(18,8)) as tolerance_share,
        case declared.source
            when 'reported' then amounts.reported_amount
            when 'metered' then amounts.metered_amount
            when 'audited' then amounts.audited_amount
        end as amount
    from amounts
    inner join declared
        on amounts.region_code = declared.region_code
        and amounts.carrier = declared.carrier
),

first_ranks as (
    select
        institution_id_scheme,
        institution_id,
        carrier,
        year,
        precedence_id,
        min(source_rank) filter (where amount is not null or source = 'none') as source_rank
    from offered
    group by all
),

by_precedence as (
    select
        first_ranks.institution_id_scheme,
        first_ranks.institution_id,
        first_ranks.carrier,
        first_ranks.year,
        first_ranks.precedence_id,
        arg_min(offered.source, offered.place_in_rank) as first_source,
        arg_min(offered.amount, offered.place_in_rank) as first_amount,
        max(offered.amount) - min(offered.amount)
            > {{ mul('abs(first_amount)', "any_value(coalesce(offered.tolerance_share, limits.limit_value))") }} as is_torn,
        count(offered.source) as n_offered
    from first_ranks
    left join offered
        on first_ranks.institution_id_scheme = offered.institution_id_scheme
        and first_ranks.institution_id = offered.institution_id
        and first_ranks.carrier = offered.carrier
        and first_ranks.year = offered.year
        and first_ranks.source_rank = offered.source_rank
        and (offered.amount is not null or offered.source = 'none')
    cross join limits
    where limits.limit_key = 'reconciliation_tolerance_share'
    group by all
),

---------- by a reviewer, as long as the amount is the one that was seen

by_reviewer as (
    select
        amounts.institution_id_scheme,
        amounts.institution_id,
        amounts.carrier,
        amounts.year,
        overrides.override_id,
        overrides.source as override_source,
        overrides.reason,
        overrides.reviewer,
        case overrides.source
            when 'reported' then amounts.reported_amount
            when 'metered' then amounts.metered_amount
            when 'audited' then amounts.audited_amount
        end as override_amount
    from amounts
    inner join overrides using (institution_id, carrier, year)
    cross join builds
    where coalesce(overrides.expires_on >= builds.as_of, true)
        and try_cast(overrides.expect_text as decimal(18,4)) is not distinct from override_amount
),

judged as (
    select
        amounts.*,
        by_precedence.precedence_id,
        by_reviewer.override_id,
        by_reviewer.reason,
        by_reviewer.reviewer,
        case
            when by_reviewer.override_id is not null then 'override'
            when by_precedence.n_offered = 0 then 'no_source'
            when by_precedence.first_source = 'none' then 'none_left'
            when by_precedence.is_torn then 'rank_differs'
            when by_precedence.n_offered > 1 then 'rank_agrees'
            else 'precedence'
        end as choice_reason_code,
        case
            when choice_reason_code = 'override' then by_reviewer.override_source
            when choice_reason_code in ('no_source', 'rank_differs') then 'undecided'
            else by_precedence.first_source
        end as chosen_source
    from amounts
    left join by_precedence using (institution_id_scheme, institution_id, carrier, year)
    left join by_reviewer using (institution_id_scheme, institution_id, carrier, year)
    where by_precedence.precedence_id is not null or by_reviewer.override_id is not null
),

final as (
    select
        ---------- ids
        institution_id_scheme,
        institution_id,
        carrier,
        year,
        precedence_id,
        override_id,

        ---------- texts
        chosen_source,
        choice_reason_code,
        reason as override_reason,
        reviewer as override_reviewer,

        ---------- amounts
        case chosen_source
            when 'reported' then reported_amount
            when 'metered' then metered_amount
            when 'audited' then audited_amount
        end as chosen_amount,
        unit
    from judged
)

select * from final
