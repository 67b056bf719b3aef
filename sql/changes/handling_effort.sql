-- mart.handling_effort follows the weeks in which a changed ticket, or a ticket with a changed answer, was or is resolved,
-- and the weeks whose tickets became final or that are no longer truncated. The rows of all days need every ticket,
-- because a median cannot be added up.

-- replaces period = 'week' and period_start in (select week from scope)
-- scope
with answered as (
    select ticket_key from changed.response_tickets
    where ticket_key is not null
    union
    select ticket_key from core.response_tickets
    where ticket_key is not null and response_key in (select response_key from changed.responses)
)

select date_trunc('week', resolved_day)::date as week from changed.ticket_effort
where resolved_day is not null
union
select date_trunc('week', resolved_day)::date from mart.ticket_effort
where resolved_day is not null and ticket_key in (select ticket_key from answered)
union
select period_start from mart.handling_effort
cross join mart.resolution_coverage
where period = 'week' and is_truncated <> coalesce(period_start < first_complete_day, false)
union
select date_trunc('week', unnest(generate_series(least(was, now), greatest(was, now), interval 1 day)))::date
from (
    select
        (select last_final_day from before.mart.resolution_coverage) as was,
        (select last_final_day from mart.resolution_coverage) as now
)
where was <> now;

-- input mart.ticket_effort
select
    ticket_key,
    handling,
    resolved_day,
    resolution_minutes,
    reopens,
    is_repeat_contact,
    is_deleted
from mart.ticket_effort
where date_trunc('week', resolved_day)::date in (select week from scope);

-- input core.response_tickets
select * from core.response_tickets
where ticket_key in (select ticket_key from narrowed.mart.ticket_effort);

-- replaces period = 'all'
