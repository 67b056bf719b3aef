-- How hard was it yesterday? Every live survey on the newest day with answers, next to its mean of all days.
-- No rows: no survey is live on the newest day, or there is no answer yet.
with newest as (select max(day) as day from mart.ces_daily)

select
    newest.day,
    surveys.survey_id,
    surveys.owner as survey_owner,
    coalesce(today.n, 0) as n,
    round(today.mean_ease_0_100, 1) as mean_ease_0_100,
    round(today.ease_low_0_100, 1) as ease_low_0_100,
    round(today.ease_high_0_100, 1) as ease_high_0_100,
    round(all_days.mean_ease_0_100, 1) as mean_ease_all_days_0_100,
    round(all_days.ease_low_0_100, 1) as ease_low_all_days_0_100,
    round(all_days.ease_high_0_100, 1) as ease_high_all_days_0_100,
    case
        when today.n is null then 'no answer on this day' when today.is_suppressed then 'too few answers on this day'
    end as why_null
from newest
inner join reference.surveys as surveys
    on
        newest.day >= coalesce(surveys.live_from, newest.day)
        and newest.day <= coalesce(surveys.live_to, newest.day)
left join effort_today as today on surveys.survey_id = today.survey_id
left join mart.ces_segments as all_days
    on all_days.period = 'all' and all_days.dimension = 'survey' and surveys.survey_id = all_days.segment
order by mean_ease_0_100 nulls last, surveys.survey_id;
