-- The answers of the period as they were given, on the scale of the survey.
select
    survey_id,
    scale_id,
    round(score)::bigint as score,
    count(*) as n,
    any_value(effort_band) as effort_band
from core.responses
where score is not null and day between $period_start and $period_end
group by survey_id, scale_id, round(score)
order by survey_id, scale_id, score;
