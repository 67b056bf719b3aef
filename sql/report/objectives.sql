-- How far the objectives of the programme have come.
select
    objective_id,
    title,
    segment,
    unit,
    baseline,
    baseline_day,
    n,
    value,
    value_low,
    value_high,
    target,
    target_day,
    way_share,
    time_share,
    state,
    why_null
from mart.objectives
order by objective_id;
