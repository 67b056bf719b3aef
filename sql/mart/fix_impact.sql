-- One row per fix x method: effort before and after it.
-- Answers: did effort fall because of the fix? `difference in differences` compares the weeks with those of categories
-- that the fix does not change, at a constant mix of channels and categories. `interrupted series` continues the trend
-- of the time before. `plain before and after` adjusts for nothing, and its name says so. The query collects answers
-- by week and channel; `ces_pipeline.statistics.fixes` compares them. A null figure: too few answers; `why` names what
-- is missing.
with answers as (
    select
        fix_id,
        fix_weeks.category,
        week_number,
        channel,
        sum(category_daily.n)::bigint as n,
        sum(category_daily.effort_sum_0_100::decimal(18, 6))::double as effort_sum
    from mart.fix_weeks
    inner join mart.category_daily
        on fix_weeks.category = category_daily.category and day between first_day and last_day
    where category_daily.n > 0
    group by all
),

-- Fixes of the same categories with overlapping weeks: their effects cannot be separated.
meeting as (
    select distinct
        one.fix_id,
        other.fix_id || case when other.live_on = one.live_on then ' (same day)' else '' end as met
    from reference.fixes as one
    inner join reference.fix_categories as mine on one.fix_id = mine.fix_id and not mine.is_comparison
    inner join reference.fix_categories as theirs on mine.category = theirs.category and not theirs.is_comparison
    inner join reference.fixes as other on theirs.fix_id = other.fix_id
    cross join reference.settings
    where one.fix_id <> other.fix_id and abs(one.live_on - other.live_on) < 7 * fix_window_weeks
),

shared as (
    select
        fix_id,
        string_agg(met, ', ' order by met) as overlapping_fixes
    from meeting
    group by fix_id
)

select
    fixes.fix_id,
    fixes.triggered_on is not null as has_trigger,
    overlapping_fixes,
    fix_window_weeks,
    smallest_effect_0_100,
    minimum_n,
    fix_categories.has_named_comparison,
    fix_weeks.category,
    is_comparison,
    period,
    week_number,
    weeks_from_live,
    channel,
    coalesce(answers.n, 0) as n,
    coalesce(effort_sum, 0) as effort_sum
from reference.fixes
cross join reference.settings
inner join (
    select
        fix_id,
        bool_or(is_comparison) as has_named_comparison
    from reference.fix_categories
    group by fix_id
) as fix_categories using (fix_id)
left join shared using (fix_id)
left join mart.fix_weeks using (fix_id)
left join answers using (fix_id, category, week_number)
order by fix_id, category, week_number, channel;
