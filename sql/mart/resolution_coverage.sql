-- One row: the days of resolution on which figures of resolved tickets are complete. No row without tickets.
-- Answers: from when to when can resolved tickets be compared? An export of tickets opened since a day holds only short
-- tickets in its first weeks: the others were opened before it begins. Tickets of the newest days may still be reopened.
-- The first half per cent of the tickets do not decide the beginning: a few old tickets are no history.
with created as (
    select
        created_day,
        sum(count(*)) over (order by created_day) / sum(count(*)) over () as share_so_far
    from mart.ticket_effort
    where not is_deleted and created_day is not null
    group by created_day
),

resolved as (
    select
        resolved_day,
        sum(count(*)) over (order by resolved_day) / sum(count(*)) over () as share_so_far
    from mart.ticket_effort
    where not is_deleted and resolved_day is not null
    group by resolved_day
),

timed as (
    select
        (resolution_minutes // 1440)::bigint as days_to_resolve,
        sum(count(*)) over (order by days_to_resolve) / sum(count(*)) over () as share_so_far
    from mart.ticket_effort
    where not is_deleted and resolution_minutes >= 0
    group by days_to_resolve
),

days as (
    select
        (select min(created_day) from created where share_so_far >= 0.005) as first_created_day,
        (select min(resolved_day) from resolved where share_so_far >= 0.005) as first_resolved_day,
        (select min(days_to_resolve) from timed where share_so_far >= 0.95) as p95_days_to_resolve,
        greatest(
            (select max(created_day) from created),
            (select max(resolved_day) from resolved)
        ) as newest_day
)

select
    newest_day,
    first_created_day,
    first_resolved_day,
    p95_days_to_resolve,
    first_created_day + p95_days_to_resolve::integer + 1 as first_complete_day,
    newest_day - reopen_window_days::integer as last_final_day
from days
cross join reference.settings
where newest_day is not null
order by newest_day;
