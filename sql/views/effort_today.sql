-- One row per survey with an answer on the newest day: effort on that day, compared with all days.
-- The newest day is the newest of all surveys. Null figures: fewer answers than the minimum n.
-- column day: The newest day with an answer to any survey.
-- column survey_id: The survey.
-- column n_all_days: Scored, accepted responses of all days.
-- column mean_ease_all_days_0_100: Mean ease of all days, higher is easier; null: fewer than the minimum n.
select
    today.period_start as day,
    today.segment as survey_id,
    surveys.title as survey_title,
    surveys.owner as survey_owner,
    today.n,
    today.mean_effort_0_100,
    today.mean_ease_0_100,
    today.ease_low_0_100,
    today.ease_high_0_100,
    today.easy_share,
    today.difficult_share,
    today.is_suppressed,
    all_days.n as n_all_days,
    all_days.mean_ease_0_100 as mean_ease_all_days_0_100
from mart.ces_segments as today
inner join mart.ces_segments as all_days
    on all_days.period = 'all' and all_days.dimension = 'survey' and today.segment = all_days.segment
left join reference.surveys on today.segment = surveys.survey_id
where
    today.period = 'day'
    and today.dimension = 'survey'
    and today.period_start = (select max(day) from mart.ces_daily)
order by survey_id;
