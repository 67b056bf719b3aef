-- How long does an answer take to be published? Time of each step, from the event to the published file, per survey.
-- Of each survey and step the newest day that has enough answers; null times: no day has. A negative time counts in
-- clock_errors: two clocks disagree.
select
    survey_id,
    case step
        when 'event_to_invitation' then 1 when 'invitation_to_response' then 2 when 'response_to_landed' then 3
        when 'landed_to_published' then 4 else 5
    end as step_number,
    step,
    day,
    n,
    round(p50_minutes, 1) as median_minutes,
    round(p95_minutes, 1) as p95_minutes,
    negative_count as clock_errors,
    is_suppressed
from mart.response_latency_daily
qualify row_number() over (partition by survey_id, step order by is_suppressed, day desc) = 1
order by survey_id, step_number;
