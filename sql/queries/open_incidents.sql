-- Which incidents are open, since when, how far from what was expected, and who looks after them?
select
    incident_id,
    severity,
    state,
    rule_id,
    series_kind,
    dimension,
    segment,
    direction,
    first_affected_day as since,
    last_day as until,
    round(observed, 3) as observed,
    round(low, 3) as low,
    round(high, 3) as high,
    round(expected, 3) as expected,
    n,
    coalesce(acknowledged_by, owner) as who,
    repeats,
    left(detail, 120) as detail,
    array_to_string(nearby_changes, ', ') as nearby_changes
from audit.incidents
where recovered_at is null
order by severity, since desc, incident_id;
