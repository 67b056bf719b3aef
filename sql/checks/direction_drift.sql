-- warning of mart.direction_drift: The scores of these sources do not go with the other facts of the same answers as they did before. Perhaps the platform delivers the score the other way round, or another column. No score was changed. Compare answers from before and after the day with the platform; if its direction changed, add `scale_changes` to the survey in surveys.yaml.
select
    source_id,
    survey_id,
    signal,
    state,
    first_day as since,
    round(correlation_before, 2) as correlation_before,
    round(correlation, 2) as correlation_now,
    round(correlation_low, 2) as low,
    round(correlation_high, 2) as high,
    n
from mart.direction_drift
where is_flagged
order by source_id, survey_id, signal;
