-- One row per ticket: its latest version.
-- Categories that differ only in case or blanks are one, written as most tickets write it. A ticket of an event log
-- (no time of opening anywhere in the source, several updates of it in one delivery) was opened at its first event, and
-- solved at the first event since which every status says so.
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
),

sources_without_opening as (
    select source_id
    from core.ticket_versions
    group by source_id
    having count(created_at) = 0
),

logged as (
    select
        ticket_key,
        min(updated_at) as first_event_at,
        max(updated_at) filter (state is null or state not in ('solved', 'closed')) as last_unsolved_at
    from core.ticket_versions
    where source_id in (select source_id from sources_without_opening)
    group by ticket_key
    having count(*) > count(distinct delivery_id)
),

logged_solves as (
    select
        ticket_key,
        min(updated_at) as first_solved_at
    from core.ticket_versions
    inner join logged using (ticket_key)
    where state in ('solved', 'closed') and updated_at > coalesce(last_unsolved_at, first_event_at)
    group by ticket_key
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
    coalesce(created_at, first_event_at) as created_at,
    first_reply_at,
    solved_at,
    closed_at,
    coalesce(tickets.resolved_at, first_solved_at) as resolved_at,
    updated_at,
    coalesce(
        first_reply_minutes,
        case when first_reply_at >= first_event_at then (epoch_us(first_reply_at) - epoch_us(first_event_at)) / 6e7 end
    ) as first_reply_minutes,
    coalesce(
        resolution_minutes,
        case
            when coalesce(tickets.resolved_at, first_solved_at) >= first_event_at
                then (epoch_us(coalesce(tickets.resolved_at, first_solved_at)) - epoch_us(first_event_at)) / 6e7
        end
    ) as resolution_minutes,
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
left join shown using (category)
left join logged using (ticket_key)
left join logged_solves using (ticket_key);
