-- mart.ticket_effort follows the changed tickets, the tickets with a changed version or answer, and the other tickets of
-- the same person and category as one of these, because they decide which contact is a repeated one.

-- replaces ticket_key in (select ticket_key from scope)
-- scope
with touched as (
    select ticket_key from changed.tickets
    union
    select ticket_key from changed.ticket_versions
    union
    select ticket_key from changed.response_tickets
    where ticket_key is not null
    union
    select ticket_key from core.response_tickets
    where ticket_key is not null and response_key in (select response_key from changed.responses)
),

contacts as (
    select
        requester_key,
        coalesce(category, 'unknown') as category
    from changed.tickets
    where requester_key is not null
    union
    select
        requester_key,
        coalesce(category, 'unknown') as category
    from core.tickets
    where requester_key is not null and ticket_key in (select ticket_key from touched)
)

select ticket_key from touched
union
select ticket_key from core.tickets
semi join contacts
    on tickets.requester_key = contacts.requester_key and coalesce(tickets.category, 'unknown') = contacts.category;

-- input core.tickets
select * from core.tickets
where ticket_key in (select ticket_key from scope);

-- input core.ticket_versions
select
    ticket_key,
    channel
from core.ticket_versions
where ticket_key in (select ticket_key from scope);

-- input core.response_tickets
select * from core.response_tickets
where ticket_key in (select ticket_key from scope);

-- input core.responses
select
    response_key,
    ease_0_100
from core.responses
where response_key in (select response_key from narrowed.core.response_tickets);
