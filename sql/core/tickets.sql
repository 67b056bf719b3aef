-- One row per ticket: its latest version.
select
    ticket_key,
    source_id,
    ticket_id,
    external_id,
    external_key,
    status,
    priority,
    category,
    channel,
    product,
    requester_key,
    group_name,
    created_at,
    first_reply_at,
    solved_at,
    closed_at,
    updated_at,
    first_reply_minutes,
    resolution_minutes,
    reopens,
    handoffs,
    replies,
    csat_0_100,
    is_deleted,
    flags,
    delivery_id,
    day
from core.ticket_versions
semi join (
    select
        ticket_key,
        max(updated_at) as updated_at
    from core.ticket_versions
    group by ticket_key
) as newest using (ticket_key, updated_at);
