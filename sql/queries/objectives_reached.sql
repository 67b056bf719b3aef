-- Do we reach our targets? The value of each objective with baseline and target, and its progress.
select
    objective_id,
    figure,
    segment,
    round(baseline, 3) as baseline,
    round(value, 3) as value,
    round(value_low, 3) as value_low,
    round(value_high, 3) as value_high,
    round(target, 3) as target,
    unit,
    target_day,
    round(way_share, 2) as progress_share,
    round(time_share, 2) as time_passed_share,
    state,
    why_null
from mart.objectives
order by objective_id;
