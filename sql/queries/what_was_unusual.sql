-- Which figures were unusual in the last four weeks, since when, and how far from what was expected?
select
    series_kind,
    dimension,
    segment,
    direction,
    incident_first_day as since,
    max(day) as until,
    bool_or(state = 'new level') as is_new_level,
    count(*) filter (starts_with(state, 'spike') or starts_with(state, 'drift')) as alarms,
    round(arg_max(observed, abs(z)), 3) as most_unusual,
    round(arg_max(expected, abs(z)), 3) as expected,
    arg_max(n, abs(z)) as n
from mart.anomalies_daily
where incident_first_day is not null
group by series_kind, dimension, segment, grain, direction, incident_first_day
having max(day) > (select max(day) from mart.anomalies_daily) - 28
order by since desc, series_kind, dimension, segment;
