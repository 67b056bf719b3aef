-- Ease along the customer journey in the newest complete week of the period; a stage without a survey is a gap.
with newest as (
    select max(week) as week
    from mart.week_changes
    where is_whole_week and week between $period_start - 6 and $period_end - 6
)

select
    process,
    journey_stage,
    week,
    is_measured,
    n,
    mean_ease_0_100,
    ease_low_0_100,
    ease_high_0_100,
    net_ease,
    net_ease_low,
    net_ease_high,
    is_suppressed,
    is_mixed_scales
from mart.journey_weekly
inner join newest using (week)
order by process, journey_stage;
