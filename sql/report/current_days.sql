-- What is known of the time after the period: each day, and each week that is not complete. More answers may come.
select
    segment as survey_id,
    period_start as first_day,
    false as is_week,
    n,
    mean_ease_0_100,
    ease_low_0_100,
    ease_high_0_100,
    difficult_share,
    difficult_share_low,
    difficult_share_high,
    is_suppressed
from mart.ces_segments
where period = 'day' and dimension = 'survey' and period_start > $period_end and period_start <= $period_end + 14
union all by name
select
    survey_id,
    week as first_day,
    true as is_week,
    n,
    mean_ease_0_100,
    ease_low_0_100,
    ease_high_0_100,
    difficult_share,
    difficult_share_low,
    difficult_share_high,
    is_suppressed
from mart.week_changes
where not is_whole_week and n > 0 and week > $period_end and week <= $period_end + 14
order by survey_id, is_week desc, first_day;
