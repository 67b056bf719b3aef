-- Is it getting easier? Mean ease per week and survey with its 95 % interval; null below the minimum n.
select
    period_start as week,
    segment as survey_id,
    n,
    round(mean_ease_0_100, 1) as mean_ease_0_100,
    round(ease_low_0_100, 1) as ease_low_0_100,
    round(ease_high_0_100, 1) as ease_high_0_100,
    round(net_ease, 2) as net_ease
from mart.ces_segments
where period = 'week' and dimension = 'survey'
order by week, survey_id;
