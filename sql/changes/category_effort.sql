-- mart.category_effort follows the weeks in which a changed ticket, or a ticket with a changed answer, was or is resolved. The
-- rows of all days need every ticket, because a median cannot be added up.

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
where resolved_day is not null and ticket_key in (select ticket_key from answered);

-- input mart.ticket_effort
select * from mart.ticket_effort
where date_trunc('week', resolved_day)::date in (select week from scope);

-- input core.response_tickets
select * from core.response_tickets
where ticket_key in (select ticket_key from narrowed.mart.ticket_effort);

-- replaces period = 'all'
