-- One row per registered survey, with the attributes of its entry.
-- column survey_key: Key of the row: the survey.
select
    survey_id as survey_key,
    survey_id,
    title as survey_title,
    owner,
    channel,
    product,
    process,
    journey_stage,
    scale_id,
    live_from,
    live_to
from reference.surveys
order by survey_key;
