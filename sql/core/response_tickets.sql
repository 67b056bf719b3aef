-- One row per response that names or matches a ticket. An answer about a merged ticket belongs to the surviving one.
-- If the system does not say which one survives, it stays with the merged ticket.
with responses as not materialized (
    select
        response_key,
        ticket_id,
        external_id,
        respondent_key,
        recorded_at,
        day,
        link_window_days * 86400e6 as window_us
    from core.responses
    left join reference.surveys using (survey_id)
),

merge_pairs as (
    select
        merged.ticket_key,
        surviving.ticket_key as into_key
    from core.tickets as merged
    inner join core.tickets as surviving
        on merged.source_id = surviving.source_id and merged.merged_into = surviving.ticket_id
    where merged.ticket_key <> surviving.ticket_key
),

-- A surviving ticket may be merged again: up to four merges in a row are followed.
survivors as (
    select
        first_merge.ticket_key,
        coalesce(
            fourth_merge.into_key, third_merge.into_key, second_merge.into_key, first_merge.into_key
        ) as surviving_key
    from merge_pairs as first_merge
    left join merge_pairs as second_merge on first_merge.into_key = second_merge.ticket_key
    left join merge_pairs as third_merge on second_merge.into_key = third_merge.ticket_key
    left join merge_pairs as fourth_merge on third_merge.into_key = fourth_merge.ticket_key
),

by_ticket_id as (
    select
        response_key,
        min(coalesce(surviving_key, ticket_key)) as ticket_key,
        count(distinct coalesce(surviving_key, ticket_key)) as candidates
    from responses
    inner join core.tickets using (ticket_id)
    left join survivors using (ticket_key)
    group by response_key
),

by_external_id as (
    select
        response_key,
        min(coalesce(surviving_key, ticket_key)) as ticket_key,
        count(distinct coalesce(surviving_key, ticket_key)) as candidates
    from responses
    inner join core.tickets on responses.external_id = tickets.external_key
    left join survivors using (ticket_key)
    anti join by_ticket_id using (response_key)
    group by response_key
),

-- Tickets of the person that were solved before the answer; an answer cannot be about a later solve, nor about a ticket
-- that is no case of its own.
solved_before as (
    select
        response_key,
        ticket_key,
        epoch_us(coalesce(solved_at, closed_at)) as solved_us
    from responses
    inner join core.tickets on responses.respondent_key = tickets.requester_key
    anti join by_ticket_id using (response_key)
    anti join by_external_id using (response_key)
    where
        not coalesce(is_deleted, false)
        and epoch_us(recorded_at) - epoch_us(coalesce(solved_at, closed_at)) between 0 and window_us
),

closest_solve as (
    select
        response_key,
        max(solved_us) as solved_us,
        count(*) as in_window
    from solved_before
    group by response_key
),

by_requester as (
    select
        response_key,
        min(ticket_key) as ticket_key,
        count(*) as candidates,
        any_value(in_window) as in_window
    from solved_before
    inner join closest_solve using (response_key, solved_us)
    group by response_key
),

-- If several tickets match equally well, there is no link.
found as (
    select
        response_key,
        case when candidates = 1 then ticket_key end as ticket_key,
        case when candidates = 1 then 'ticket_id' else 'ambiguous' end as method,
        case when candidates = 1 then 1.0 else 0.0 end as confidence
    from by_ticket_id
    union all
    select
        response_key,
        case when candidates = 1 then ticket_key end as ticket_key,
        case when candidates = 1 then 'external_id' else 'ambiguous' end as method,
        case when candidates = 1 then 0.9 else 0.0 end as confidence
    from by_external_id
    union all
    select
        response_key,
        case when candidates = 1 then ticket_key end as ticket_key,
        case when candidates = 1 then 'requester_window' else 'ambiguous' end as method,
        case when candidates = 1 then round(0.6 / in_window, 3) else 0.0 end as confidence
    from by_requester
)

select
    response_key,
    found.ticket_key,
    coalesce(found.method, 'named_not_found') as method,
    coalesce(found.confidence, 0)::double as confidence,
    responses.day
from responses
left join found using (response_key)
where found.method is not null or responses.ticket_id is not null;
