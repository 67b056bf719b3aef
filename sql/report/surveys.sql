-- The surveys, with their question and scale.
select
    survey_id,
    surveys.title,
    owner,
    channel,
    wording,
    wording_version,
    live_from,
    live_to,
    scales.scale_id,
    scales.title as scale_title,
    min_score,
    max_score,
    higher_means
from reference.surveys as surveys
left join reference.scales as scales using (scale_id)
where scale_id is not null
order by survey_id;
