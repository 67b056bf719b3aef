-- One row per week x process x journey stage, from the first week with a response to the last.
-- Answers: how does effort develop along the journey? Weeks begin on Monday, business zone. Every stage of a
-- registered survey or of a response has a row in every week: a stage without scored responses has n 0 and is not
-- measured; its effort is never zero. Processes are separate: renewal and expansion are not part of support.
with scored as (
    select
        date_trunc('week', day)::date as week,
        process,
        journey_stage,
        is_suspect,
        effort_band,
        scale_id,
        ease_0_100 >= top_two_least_ease_0_100 as is_top_two,
        ease_0_100::decimal(9, 6) as ease
    from core.responses
    left join reference.scales using (scale_id)
    where ease_0_100 is not null
),

groups as (
    select
        week,
        process,
        journey_stage,
        count(*) as n,
        count(*) filter (is_suspect) as n_suspect,
        sum(ease)::double as ease_sum,
        sum(ease * ease)::double as ease_square_sum,
        count(*) filter (effort_band = 'easy') as easy_count,
        count(*) filter (effort_band = 'neutral') as neutral_count,
        count(*) filter (effort_band = 'difficult') as difficult_count,
        count(*) filter (is_top_two) as top_two_count,
        min(scale_id) <> max(scale_id) as is_mixed_scales
    from scored
    group by week, process, journey_stage
),

stages as (
    select
        process,
        journey_stage
    from reference.surveys
    where scale_id is not null
    union
    select
        process,
        journey_stage
    from groups
),

weeks as (
    select unnest(range(min(week), max(week) + 7, interval 7 days))::date as week
    from groups
),

sums as (
    select
        week,
        process,
        journey_stage,
        coalesce(n, 0) as n,
        coalesce(n_suspect, 0) as n_suspect,
        coalesce(ease_sum, 0) as ease_sum,
        coalesce(ease_square_sum, 0) as ease_square_sum,
        coalesce(easy_count, 0) as easy_count,
        coalesce(neutral_count, 0) as neutral_count,
        coalesce(difficult_count, 0) as difficult_count,
        coalesce(top_two_count, 0) as top_two_count,
        coalesce(is_mixed_scales, false) as is_mixed_scales
    from weeks
    cross join stages
    left join groups using (week, process, journey_stage)
)

select
    figures.*,
    n > 0 as is_measured
from top_two_figures('sums') as figures
order by week, process, journey_stage;
