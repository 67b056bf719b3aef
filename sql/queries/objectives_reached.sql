-- Are we getting where we said that we would? Each objective's value beside baseline and target, and how far it has come.
select
    objective_id,
    figure,
    segment,
    round(baseline, 3) as baseline,
    round(value, 3) as value,
    round(value_low, 3) as value_low,
    round(value_high, 3) as value_high,
    round(target, 3) as target,
    target_day,
    round(way_share, 2) as way_share,
    round(time_share, 2) as time_share,
    state,
    why_null
from mart.objectives
order by objective_id;
