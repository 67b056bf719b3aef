-- mart.score_signals_daily follows the days of changed answers and links, and of the answers about a changed ticket.

-- replaces day in (select day from scope)
-- scope
select day from changed.responses
union
select day from changed.response_tickets
union
select day from core.response_tickets
where ticket_key in (select ticket_key from changed.tickets);

-- input core.response_tickets
select
    response_key,
    ticket_key
from core.response_tickets
where day in (select day from scope);

-- input core.responses
select
    response_key,
    source_id,
    survey_id,
    day,
    ease_0_100,
    csat_0_100,
    nps,
    comment
from core.responses
where day in (select day from scope) and ease_0_100 is not null;

-- input core.tickets
select
    ticket_key,
    csat_0_100,
    reopens,
    replies,
    handoffs,
    resolution_minutes
from core.tickets
where ticket_key in (select ticket_key from narrowed.core.response_tickets);
