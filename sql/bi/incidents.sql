-- One row per incident: what was wrong, since when, who looks after it, and whether it is over.
-- column incident_key: Key of the row: the incident.
-- column opened_at: When it was noticed, UTC.
-- column acknowledged_at: When somebody first took it over, UTC; null: it is not acknowledged.
-- column recovered_at: When the recovery was noticed, UTC; null: it is open.
select
    incident_id as incident_key,
    rule_id,
    rule_kind,
    severity,
    owner,
    series_kind,
    dimension,
    segment,
    state,
    first_affected_day,
    last_day,
    opened_at at time zone 'UTC' as opened_at,
    acknowledged_at at time zone 'UTC' as acknowledged_at,
    recovered_at at time zone 'UTC' as recovered_at,
    observed,
    expected,
    low,
    high,
    n,
    direction,
    detail
from audit.incidents
order by incident_key;
