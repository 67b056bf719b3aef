-- Which rows of which exports are behind a figure? The hardest answers of the newest day, with file and id of the answer.
select
    responses.day,
    responses.survey_id,
    responses.source_id,
    deliveries.file_name,
    responses.response_id,
    responses.scale_id,
    responses.score,
    responses.effort_0_100
from core.responses as responses
left join audit.deliveries using (source_id, delivery_id)
where
    responses.effort_0_100 = 100
    and responses.day = (select max(day) from core.responses)
order by responses.survey_id, responses.recorded_at, responses.response_key;
