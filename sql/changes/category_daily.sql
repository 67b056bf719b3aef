-- mart.category_daily follows the days on which a changed ticket was opened, the days of changed answers, and the days of
-- the answers about a changed ticket.

-- replaces day in (select day from scope)
-- scope
select created_day as day from changed.ticket_effort
where created_day is not null
union
select day from changed.responses
union
select day from changed.response_tickets
union
select day from core.response_tickets
where ticket_key in (select ticket_key from changed.ticket_effort);

-- input mart.ticket_effort
select
    ticket_key,
    created_day,
    category,
    channel,
    is_deleted
from mart.ticket_effort
where
    created_day in (select day from scope)
    or ticket_key in (
        select ticket_key from core.response_tickets
        where day in (select day from scope)
    );

-- input core.response_tickets
select * from core.response_tickets
where day in (select day from scope);

-- input core.responses
select
    response_key,
    day,
    channel,
    scale_id,
    effort_0_100
from core.responses
where day in (select day from scope);
