-- One row: the days of resolution on which figures of resolved tickets are complete. No row without tickets.
-- Answers: from when to when can resolved tickets be compared? An export of tickets opened since a day holds only short
-- tickets in its first weeks: the others were opened before it begins. Tickets of the newest days may still be reopened.
-- The first half per cent of the tickets do not decide the beginning: a few old tickets are no history.
with counted as (
    select
        created_day,
        resolved_day,
        case when resolution_minutes >= 0 then resolution_minutes // 1440 end as days_to_resolve,
        count(*) as tickets
    from mart.ticket_effort
    where not is_deleted
    group by all
),

beginnings as (
    select
        (
            select min(created_day)
            from (
                select
                    created_day,
                    sum(sum(tickets)) over (order by created_day) / sum(sum(tickets)) over () as share_so_far
                from counted
                where created_day is not null
                group by created_day
            )
            where share_so_far >= 0.005
        ) as first_created_day,
        (
            select min(resolved_day)
            from (
                select
                    resolved_day,
                    sum(sum(tickets)) over (order by resolved_day) / sum(sum(tickets)) over () as share_so_far
                from counted
                where resolved_day is not null
                group by resolved_day
            )
            where share_so_far >= 0.005
        ) as first_resolved_day,
        (
            select min(days_to_resolve)::bigint
            from (
                select
                    days_to_resolve,
                    sum(sum(tickets)) over (order by days_to_resolve) / sum(sum(tickets)) over () as share_so_far
                from counted
                where days_to_resolve is not null
                group by days_to_resolve
            )
            where share_so_far >= 0.95
        ) as p95_days_to_resolve
),

newest as (
    select max(greatest(created_day, resolved_day)) as newest_day
    from counted
)

select
    newest_day,
    first_created_day,
    first_resolved_day,
    p95_days_to_resolve,
    first_created_day + p95_days_to_resolve::integer + 1 as first_complete_day,
    newest_day - reopen_window_days::integer as last_final_day
from newest
cross join beginnings
cross join reference.settings
where newest_day is not null
order by newest_day;
