-- Is it getting easier? Mean ease per week and survey; null where a week has too few answers.
select
    period_start as week,
    segment as survey_id,
    n,
    round(mean_ease_0_100, 1) as mean_ease_0_100,
    round(ease_low_0_100, 1) as ease_low_0_100,
    round(ease_high_0_100, 1) as ease_high_0_100,
    round(difficult_share, 3) as difficult_share,
    round(difficult_share_low, 3) as difficult_share_low,
    round(difficult_share_high, 3) as difficult_share_high,
    is_suppressed
from mart.ces_segments
where period = 'week' and dimension = 'survey'
order by week, survey_id;
