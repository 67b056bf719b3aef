-- How hard was it yesterday? The newest day per survey, and its difference from all days; null below the minimum n.
select
    day,
    survey_id,
    survey_owner,
    n,
    round(mean_ease_0_100, 1) as mean_ease_0_100,
    round(ease_low_0_100, 1) as ease_low_0_100,
    round(ease_high_0_100, 1) as ease_high_0_100,
    round(mean_ease_0_100 - mean_ease_all_days_0_100, 1) as above_all_days_0_100
from effort_today
order by mean_ease_0_100 nulls last, survey_id;
