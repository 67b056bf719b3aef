-- One row per ticket: its latest version.
-- Categories that differ only in case or blanks are one, written as most tickets write it.
with tickets as not materialized (
    select *
    from core.ticket_versions
    semi join (
        select
            ticket_key,
            max(updated_at) as updated_at
        from core.ticket_versions
        group by ticket_key
    ) as newest using (ticket_key, updated_at)
),

spellings as (
    select
        category,
        count(*) as tickets
    from tickets
    where category is not null
    group by category
),

shown as (
    select
        category,
        first_value(category) over (
            partition by lower(regexp_replace(trim(category), '\s+', ' ', 'g')) order by tickets desc, category
        ) as shown_category
    from spellings
)

select
    ticket_key,
    source_id,
    ticket_id,
    external_id,
    external_key,
    status,
    state,
    priority,
    shown_category as category,
    channel,
    product,
    requester_key,
    group_name,
    created_at,
    first_reply_at,
    solved_at,
    closed_at,
    resolved_at,
    updated_at,
    first_reply_minutes,
    resolution_minutes,
    reopens,
    handoffs,
    replies,
    csat_0_100,
    is_deleted,
    merged_into,
    flags,
    delivery_id,
    day
from tickets
left join shown using (category);
