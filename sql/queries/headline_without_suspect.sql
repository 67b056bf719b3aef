-- Does the headline depend on doubtful answers? Each survey without suspect answers, and with rejected ones, over all days.
select
    series as survey_id,
    variant,
    n,
    round(mean_ease_0_100, 1) as mean_ease_0_100,
    round(ease_low_0_100, 1) as ease_low_0_100,
    round(ease_high_0_100, 1) as ease_high_0_100,
    round(mean_ease_difference_0_100, 2) as mean_ease_difference_0_100,
    round(easy_share_difference, 3) as easy_share_difference,
    is_suppressed
from mart.sensitivity
where period = 'all'
order by survey_id, variant;
