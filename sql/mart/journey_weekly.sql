-- One row per week x process x journey stage, from the first week with a response to the last.
-- Answers: how does effort develop along the journey? Weeks begin on Monday, business zone. Every stage that a touchpoint is
-- registered for, or a response names, has a row every week: one without scored responses has n 0 and is not measured,
-- never zero. Processes stand apart: renewal and expansion are no part of support.
with scored as (
    select
        date_trunc('week', day)::date as week,
        process,
        journey_stage,
        is_suspect,
        effort_band,
        ease_0_100::decimal(9, 6) as ease
    from core.responses
    where ease_0_100 is not null
),

sums as (
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
        count(*) filter (effort_band = 'difficult') as difficult_count
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
    from sums
),

weeks as (
    select unnest(range(min(week), max(week) + 7, interval 7 days))::date as week
    from sums
),

moments as (
    select
        week,
        process,
        journey_stage,
        coalesce(n, 0) as n,
        coalesce(n_suspect, 0) as n_suspect,
        coalesce(easy_count, 0) as easy_count,
        coalesce(neutral_count, 0) as neutral_count,
        coalesce(difficult_count, 0) as difficult_count,
        coalesce(ease_sum, 0) as ease_sum,
        coalesce(sums.n, 0) < minimum_n as is_suppressed,
        ease_sum / n as mean_ease,
        sample_sd(n, ease_sum, ease_square_sum) as sd_ease,
        mean_half_width(n, sample_sd(n, ease_sum, ease_square_sum)) as half_width
    from weeks
    cross join stages
    left join sums using (week, process, journey_stage)
    cross join reference.settings
),

final as (
    select
        week,
        process,
        journey_stage,
        n > 0 as is_measured,
        n,
        n_suspect,
        case when not is_suppressed then 100 - mean_ease end as mean_effort_0_100,
        case when not is_suppressed then mean_ease end as mean_ease_0_100,
        case when not is_suppressed and n > 1 then greatest(mean_ease - half_width, 0) end as ease_low_0_100,
        case when not is_suppressed and n > 1 then least(mean_ease + half_width, 100) end as ease_high_0_100,
        easy_count,
        neutral_count,
        difficult_count,
        case when not is_suppressed then (easy_count - difficult_count) / n end as net_ease,
        case when not is_suppressed then net_low(easy_count, difficult_count, n) end as net_ease_low,
        case when not is_suppressed then net_high(easy_count, difficult_count, n) end as net_ease_high,
        is_suppressed,
        ease_sum as ease_sum_0_100
    from moments
)

select
    week,
    process,
    journey_stage,
    is_measured,
    n,
    n_suspect,
    mean_effort_0_100,
    mean_ease_0_100,
    ease_low_0_100,
    ease_high_0_100,
    easy_count,
    neutral_count,
    difficult_count,
    net_ease,
    net_ease_low,
    net_ease_high,
    is_suppressed,
    ease_sum_0_100
from final
order by week, process, journey_stage;
