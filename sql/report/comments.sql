-- Comments of difficult answers of the period, without personal data.
select
    survey_id,
    day,
    score,
    comment
from core.responses
where comment is not null and effort_band = 'difficult' and day between $period_start and $period_end
order by survey_id, effort_0_100 desc, day desc, response_key
limit $comments;
