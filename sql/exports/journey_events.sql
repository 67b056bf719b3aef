-- One row per event of a customer's journey in a span of time (end not included): an answer, or a ticket with an answer.
-- A ticket has an event for its opening and an event for its latest solve; it belongs to the customer who answered about
-- it. The insert_id of an event never changes. content: differs after a revision of the answer; null: no revisions.
with linked as (
    select
        ticket_key,
        min(respondent_key) as respondent_key
    from core.response_tickets
    inner join core.responses using (response_key)
    where ticket_key is not null
    group by ticket_key
),

tickets as (
    select
        ticket_key,
        coalesce(linked.respondent_key, requester_key) as person_key,
        created_at,
        resolved_at,
        channel,
        product,
        category,
        priority,
        resolution_minutes,
        reopens,
        handoffs,
        replies
    from core.tickets
    inner join linked using (ticket_key)
    where not is_deleted
),

happened as (
    select
        'CES Response' as event,
        response_key as own_key,
        respondent_key as person_key,
        recorded_at as occurred_at,
        (
            md5_number(concat_ws(
                '|',
                survey_id,
                coalesce(if(score = floor(score), score::bigint::varchar, score::varchar), '-1'),
                coalesce(nps, -1),
                coalesce(csat_0_100, -1)
            ))
            & 18446744073709551615
        )::ubigint as content,
        survey_id,
        channel,
        product,
        persona,
        journey_stage,
        process,
        scale_id,
        score,
        effort_0_100,
        ease_0_100,
        effort_band,
        nps,
        csat_0_100,
        is_suspect
    from core.responses
    union all by name
    select
        'CES Ticket Opened' as event,
        ticket_key as own_key,
        person_key,
        created_at as occurred_at,
        channel,
        product,
        category,
        priority
    from tickets
    union all by name
    -- A reopened ticket is solved again: that is a new event.
    select
        'CES Ticket Solved' as event,
        ticket_key || '@' || epoch_us(resolved_at) as own_key,
        person_key,
        resolved_at as occurred_at,
        channel,
        product,
        category,
        priority,
        resolution_minutes,
        reopens,
        handoffs,
        replies
    from tickets
)

select
    substr(sha256(event || '|' || own_key), 1, 36) as insert_id,
    event,
    person_key,
    occurred_at,
    content,
    survey_id,
    channel,
    product,
    category,
    priority,
    persona,
    journey_stage,
    process,
    scale_id,
    score,
    effort_0_100,
    ease_0_100,
    effort_band,
    nps,
    csat_0_100,
    is_suspect,
    resolution_minutes,
    reopens,
    handoffs,
    replies
from happened
where occurred_at >= $since and occurred_at < $until
order by occurred_at, insert_id;
