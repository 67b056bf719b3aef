-- Where along the journey is it hardest, and which stages are not measured? The last four weeks, per process.
select
    week,
    process,
    journey_stage,
    is_measured,
    n,
    round(mean_ease_0_100, 1) as mean_ease_0_100,
    round(ease_low_0_100, 1) as ease_low_0_100,
    round(ease_high_0_100, 1) as ease_high_0_100,
    is_suppressed
from mart.journey_weekly
where week > (select max(week) from mart.journey_weekly) - 28
order by week desc, mean_ease_0_100 nulls last, process, journey_stage;
