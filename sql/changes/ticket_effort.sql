-- mart.ticket_effort follows the changed tickets, the tickets with a changed version or answer, and the other tickets of
-- the same person and category as a changed ticket, because they decide which contact is a repeated one.

-- replaces ticket_key in (select ticket_key from scope)
-- scope
with contacts as (
    select distinct
        requester_key,
        coalesce(category, 'unknown') as category
    from changed.tickets
    where requester_key is not null
)

select ticket_key from changed.tickets
union
select ticket_key from changed.ticket_versions
union
select ticket_key from changed.response_tickets
where ticket_key is not null
union
select ticket_key from core.response_tickets
where ticket_key is not null and response_key in (select response_key from changed.responses)
union
select ticket_key from core.tickets
semi join contacts
    on tickets.requester_key = contacts.requester_key and coalesce(tickets.category, 'unknown') = contacts.category;

-- input core.tickets
with contacts as (
    select distinct
        requester_key,
        coalesce(category, 'unknown') as category
    from core.tickets
    where requester_key is not null and ticket_key in (select ticket_key from scope)
)

select * from core.tickets
where
    ticket_key in (select ticket_key from scope)
    or (requester_key, coalesce(category, 'unknown')) in (
        select
            requester_key,
            category
        from contacts
    );

-- input core.ticket_versions
select * from core.ticket_versions
where ticket_key in (select ticket_key from scope);

-- input core.response_tickets
select * from core.response_tickets
where ticket_key in (select ticket_key from scope);

-- input core.responses
select * from core.responses
where response_key in (select response_key from narrowed.core.response_tickets);
