-- Does each score still go with satisfaction, comments and tickets as before? Drifts first; `null`: too few answers.
select
    source_id,
    survey_id,
    signal,
    state,
    case when is_flagged then first_day end as since,
    n_before,
    round(correlation_before, 2) as correlation_before,
    n,
    round(correlation, 2) as correlation_now,
    round(correlation_low, 2) as low,
    round(correlation_high, 2) as high
from mart.direction_drift
order by is_flagged desc, source_id, survey_id, signal;
