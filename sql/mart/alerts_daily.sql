-- One row per day and rule with an incident that was noticed or came back, and per day of all rules since the first one.
-- Answers: how many alerts does a day bring, and how fast are they raised, taken over and over? Days are those on which
-- an incident was noticed, in the business zone. Incidents that were over before they were noticed do not count: they
-- say nothing about how fast one is noticed. Medians of rules cannot be pooled: `all rules` has its own.
with noticed as (
    select
        rule_id,
        timezone(business_time_zone, opened_at)::date as day,
        if(
            rule_kind in ('threshold', 'anomaly'),
            epoch(opened_at - timezone(business_time_zone, first_affected_day::timestamp)) / 60,
            null
        ) as from_event_minutes,
        if(
            rule_kind in ('threshold', 'anomaly'), epoch(opened_at - first_response_at) / 60, null
        ) as from_response_minutes,
        epoch(acknowledged_at - opened_at) / 60 as to_acknowledgement_minutes,
        epoch(recovered_at - opened_at) / 60 as to_recovery_minutes
    from audit.incidents
    cross join reference.settings
    where not was_over
),

by_rule as (
    select
        day,
        coalesce(rule_id, 'all rules') as rule_id,
        count(*) as alerts,
        count(from_event_minutes) as figure_alerts,
        median(from_event_minutes) as event_to_alert_p50_minutes,
        count(from_response_minutes) as answer_alerts,
        median(from_response_minutes) as response_to_alert_p50_minutes,
        count(to_acknowledgement_minutes) as acknowledged,
        median(to_acknowledgement_minutes) as acknowledgement_p50_minutes,
        count(to_recovery_minutes) as recovered,
        median(to_recovery_minutes) as recovery_p50_minutes
    from noticed
    group by grouping sets ((day), (day, rule_id))
),

came_back as (
    select
        rule_id,
        timezone(business_time_zone, logged_at)::date as day
    from audit.incident_events
    cross join reference.settings
    where kind = 'repeated' and not was_over
),

repeated as (
    select
        day,
        coalesce(rule_id, 'all rules') as rule_id,
        count(*) as repeated_alerts
    from came_back
    group by grouping sets ((day), (day, rule_id))
),

-- A day without an alert is one with none, from the first one on.
watched as (
    select
        'all rules' as rule_id,
        unnest(generate_series(first_day, last_day, interval 1 day))::date as day
    from (
        select
            least(min(by_rule.day), (select min(day) from repeated)) as first_day,
            greatest(
                max(by_rule.day), (select max(day) from repeated), (select max(day) from mart.quality_daily)
            ) as last_day
        from by_rule
    )
    where first_day is not null
    union
    select
        rule_id,
        day
    from by_rule
    union
    select
        rule_id,
        day
    from repeated
)

select
    day,
    rule_id,
    coalesce(alerts, 0) as alerts,
    coalesce(repeated_alerts, 0) as repeated_alerts,
    coalesce(figure_alerts, 0) as figure_alerts,
    event_to_alert_p50_minutes,
    coalesce(answer_alerts, 0) as answer_alerts,
    response_to_alert_p50_minutes,
    coalesce(acknowledged, 0) as acknowledged,
    acknowledgement_p50_minutes,
    coalesce(recovered, 0) as recovered,
    recovery_p50_minutes
from watched
left join by_rule using (day, rule_id)
left join repeated using (day, rule_id)
order by day, rule_id;
