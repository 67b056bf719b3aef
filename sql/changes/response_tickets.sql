-- core.response_tickets follows the changed responses, and the responses that name or match a changed ticket or a ticket
-- that was merged, directly or step by step, into a changed one.

-- replaces response_key in (select response_key from scope)
-- scope
with recursive merged as materialized (
    select
        source_id,
        ticket_id,
        merged_into,
        external_key,
        requester_key,
        coalesce(solved_at, closed_at) as solved_at
    from core.tickets
    where merged_into is not null
),

reached as (
    select
        source_id,
        ticket_id,
        external_key,
        requester_key,
        coalesce(solved_at, closed_at) as solved_at
    from changed.tickets
    union
    select
        merged.source_id,
        merged.ticket_id,
        merged.external_key,
        merged.requester_key,
        merged.solved_at
    from reached
    inner join merged
        on reached.source_id = merged.source_id and reached.ticket_id = merged.merged_into
),

solves as (
    select
        requester_key,
        min(solved_at) as first_solved_at,
        max(solved_at) as last_solved_at,
        (select max(link_window_days) from reference.surveys) as longest_window_days
    from reached
    where requester_key is not null and solved_at is not null
    group by requester_key
)

select response_key from changed.responses
union
select response_key from core.responses
where ticket_id in (select ticket_id from reached)
union
select response_key from core.responses
where external_id in (select external_key from reached where external_key is not null)
union
-- Only a ticket that was solved within the window before an answer can match its person.
select response_key from core.responses
inner join solves on responses.respondent_key = solves.requester_key
where recorded_at between first_solved_at and last_solved_at + to_microseconds((longest_window_days * 86400e6)::bigint);

-- input core.responses
select * from core.responses
where response_key in (select response_key from scope);

-- input core.tickets
-- The tickets that these responses name or match, and those that they were merged into, step by step.
with recursive targets as materialized (
    select
        ticket_key,
        source_id,
        ticket_id,
        merged_into
    from core.tickets
    semi join (
        select
            source_id,
            merged_into
        from core.tickets
        where merged_into is not null
    ) as merged
        on tickets.source_id = merged.source_id and tickets.ticket_id = merged.merged_into
),

named as (
    select
        ticket_key,
        source_id,
        merged_into
    from core.tickets
    where ticket_id in (select ticket_id from narrowed.core.responses where ticket_id is not null)
    union
    select
        ticket_key,
        source_id,
        merged_into
    from core.tickets
    where external_key in (select external_id from narrowed.core.responses where external_id is not null)
    union
    select
        ticket_key,
        source_id,
        merged_into
    from core.tickets
    where requester_key in (select respondent_key from narrowed.core.responses where respondent_key is not null)
),

reached as (
    select
        ticket_key,
        source_id,
        merged_into
    from named
    union
    select
        targets.ticket_key,
        targets.source_id,
        targets.merged_into
    from reached
    inner join targets
        on reached.source_id = targets.source_id and reached.merged_into = targets.ticket_id
)

select
    ticket_key,
    source_id,
    ticket_id,
    external_key,
    requester_key,
    merged_into,
    solved_at,
    closed_at,
    is_deleted
from core.tickets
where ticket_key in (select ticket_key from reached);
