-- Incidents that are open now.
select
    severity,
    state,
    rule_id,
    series_kind,
    dimension,
    segment,
    direction,
    first_affected_day,
    last_day,
    n,
    coalesce(acknowledged_by, owner) as who,
    detail
from audit.incidents
where recovered_at is null
order by severity, first_affected_day desc, incident_id;
