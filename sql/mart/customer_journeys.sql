-- One row per known customer and process with a touch within the journey window, which ends on the newest response day.
-- Answers: how much effort did a customer have with us, and about how much of the journey was the customer never
-- asked? Touches are tickets, events that trigger a survey, and answers without either. Only answers have effort to
-- sum: a touch without an answer counts as missing, and no value is assumed for it. Null effort: no touch was
-- measured.
with bounds as (
    select
        max(day) as newest_day,
        max(day) - any_value(journey_window_days)::integer as before_day
    from core.responses
    cross join reference.settings
),

triggers as (
    select
        lower(trigger_event) as event_type,
        min(process) as process
    from reference.surveys
    where trigger_event is not null
    group by lower(trigger_event)
),

event_of_response as (
    select
        response_key,
        -- Two sources may use the same id for their events.
        min(event_key) as event_key
    from core.response_invitations
    inner join core.invitations using (invitation_key)
    inner join core.events using (event_id)
    group by response_key
),

-- A ticket id without a delivered ticket is no link; excluding them makes a large join small.
linked as (
    select
        response_key,
        ticket_key
    from core.response_tickets
    where ticket_key is not null
),

-- Wide and long: reading it again for each use costs less than keeping it.
answered as not materialized (
    select
        responses.response_key,
        coalesce(responses.respondent_key, tickets.requester_key) as person_key,
        responses.process,
        responses.journey_stage,
        responses.effort_0_100,
        responses.day,
        tickets.ticket_key,
        event_of_response.event_key
    from core.responses
    left join linked using (response_key)
    left join core.tickets on linked.ticket_key = tickets.ticket_key and not tickets.is_deleted
    left join event_of_response using (response_key)
    where responses.effort_0_100 is not null and responses.day > (select before_day from bounds)
),

ticket_touches as (
    select
        requester_key as person_key,
        coalesce(answers.process, 'support') as process,
        timezone(business_time_zone, coalesce(resolved_at, created_at, updated_at))::date as day,
        answers.ticket_key is not null as is_measured
    from core.tickets
    left join (
        select
            ticket_key,
            min(process) as process
        from answered
        group by ticket_key
    ) as answers using (ticket_key)
    cross join reference.settings
    where
        requester_key is not null
        and not is_deleted
        -- Cheaper to compute than the day, and never later than it.
        and coalesce(resolved_at, created_at, updated_at)
        >= (select before_day - 1 from bounds)::timestamp::timestamptz
),

event_touches as (
    select
        person_key,
        triggers.process,
        events.day,
        events.event_key in (select event_key from answered where event_key is not null) as is_measured
    from core.events
    inner join triggers using (event_type)
    where
        person_key is not null
        -- An event of a ticket is part of the touch of that ticket.
        and coalesce(ticket_id not in (select ticket_id from core.tickets), true)
),

-- Tickets and events that were touches, and answers; an answer is a touch if it belongs to no ticket and no event.
-- `journey` is a hash of customer and process, as a number; two journeys with the same number are still summed separately.
parts as (
    select
        person_key,
        process,
        hash(person_key, process) as journey,
        day,
        true as is_touch,
        is_measured,
        null as journey_stage,
        null as effort,
        null as decayed_effort
    from ticket_touches
    cross join bounds
    where day > before_day and day <= newest_day
    union all
    select
        person_key,
        process,
        hash(person_key, process) as journey,
        day,
        true as is_touch,
        is_measured,
        null as journey_stage,
        null as effort,
        null as decayed_effort
    from event_touches
    cross join bounds
    where day > before_day and day <= newest_day
    union all
    select
        person_key,
        process,
        hash(person_key, process) as journey,
        day,
        ticket_key is null and event_key is null as is_touch,
        is_touch as is_measured,
        journey_stage,
        effort_0_100::decimal(9, 6) as effort,
        -- As rounded decimals, the sum does not depend on the order of its parts.
        (effort_0_100 * pow(0.5, (newest_day - day) / effort_half_life_days))::decimal(18, 9) as decayed_effort
    from answered
    cross join bounds
    cross join reference.settings
    where person_key is not null
),

-- Most customers have one touch and need no sum: only customers who may have several are grouped.
again as (
    select journey
    from parts
    group by journey
    having count(*) > 1
),

journeys as (
    select
        person_key,
        process,
        is_touch::bigint as touches,
        is_measured::bigint as measured_touches,
        case when is_touch then day end as first_touch_day,
        case when is_touch then day end as last_touch_day,
        (effort is not null)::bigint as responses,
        effort::double as cumulative_effort,
        decayed_effort::double as decayed_effort,
        journey_stage as first_stage,
        journey_stage as last_stage
    from parts
    anti join again using (journey)
    union all
    select
        person_key,
        process,
        count(*) filter (is_touch) as touches,
        count(*) filter (is_measured) as measured_touches,
        min(day) filter (is_touch) as first_touch_day,
        max(day) filter (is_touch) as last_touch_day,
        count(effort) as responses,
        sum(effort)::double as cumulative_effort,
        sum(decayed_effort)::double as decayed_effort,
        min(journey_stage) as first_stage,
        max(journey_stage) as last_stage
    from parts
    semi join again using (journey)
    group by person_key, process
),

-- Few customers answer at several stages: only their stages are compared.
worst_stages as (
    select
        person_key,
        process,
        arg_max(journey_stage, (effort::double / n, n, journey_stage)) as worst_stage
    from (
        select
            person_key,
            process,
            journey_stage,
            count(*) as n,
            sum(effort) as effort
        from parts
        semi join (
            select
                person_key,
                process
            from journeys
            where first_stage <> last_stage
        ) as several using (person_key, process)
        where effort is not null
        group by person_key, process, journey_stage
    )
    group by person_key, process
)

select
    person_key,
    process,
    touches,
    measured_touches,
    touches - measured_touches as missing_touches,
    responses,
    cumulative_effort,
    decayed_effort,
    coalesce(worst_stage, first_stage) as worst_stage,
    first_touch_day,
    last_touch_day
from journeys
left join worst_stages using (person_key, process);
