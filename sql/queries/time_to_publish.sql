-- How old is an answer when it is published? Minutes of every step from the event on, newest measured day per survey.
select
    survey_id,
    step,
    day,
    n,
    negative_count,
    round(p50_minutes, 1) as p50_minutes,
    round(p95_minutes, 1) as p95_minutes
from mart.response_latency_daily
qualify row_number() over (partition by survey_id, step order by day desc) = 1
order by survey_id, step;
