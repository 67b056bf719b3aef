-- One row per response and its follow-up.
with follow_ups as (
    select
        follow_up_key,
        max(response_id) as response_id,
        max(ticket_id) as ticket_id,
        max(changed_at) as last_changed_at
    from core.follow_ups
    group by follow_up_key
),

-- If two platforms use the same id, it identifies no answer.
by_response as (
    select
        follow_up_key,
        min(response_key) as response_key
    from follow_ups
    inner join core.responses using (response_id)
    group by follow_up_key
    having count(*) = 1
),

answers_of_tickets as (
    select
        ticket_id,
        response_key
    from core.responses
    where ticket_id in (select ticket_id from follow_ups where response_id is null)
    union
    select
        ticket_id,
        response_key
    from core.response_tickets
    inner join core.tickets using (ticket_key)
    where ticket_id in (select ticket_id from follow_ups where response_id is null)
),

-- A step on a ticket before the answer is no follow-up of the answer.
by_ticket as (
    select
        follow_up_key,
        response_key
    from follow_ups
    inner join answers_of_tickets using (ticket_id)
    inner join core.responses using (response_key)
    where follow_ups.response_id is null and last_changed_at >= recorded_at
),

found as (
    select
        response_key,
        follow_up_key,
        'response_id' as method
    from by_response
    union all
    select
        response_key,
        follow_up_key,
        'ticket_id' as method
    from by_ticket
)

select
    response_key,
    follow_up_key,
    method,
    day
from found
inner join core.responses using (response_key)
order by response_key, follow_up_key;
