-- One row per day with a resolved ticket or an accepted response.
-- Answers: about how much of the work do we have answers, and how many answers could be linked to it? It has two
-- shares with two denominators: tickets resolved on the day that may be surveyed (settings.yaml, `survey_ineligible`),
-- and responses of the day. Null shares: the denominator is 0 or below the minimum n. Tickets of the newest days may
-- still be answered: until the longest link window of the surveys is over (`is_final`), they have no answered share.
with tickets as (
    select
        resolved_day as day,
        count(*) as resolved_tickets,
        count(*) filter (is_survey_eligible) as eligible_tickets,
        count(*) filter (is_survey_eligible and linked_responses > 0) as answered_tickets
    from mart.ticket_effort
    where not is_deleted and resolved_day is not null
    group by all
),

links as (
    select
        day,
        count(ticket_key) as linked,
        count(*) filter (method = 'ticket_id') as linked_by_ticket_id,
        count(*) filter (method = 'external_id') as linked_by_external_id,
        count(*) filter (method = 'requester_window') as linked_by_requester_window,
        count(*) filter (method = 'ambiguous') as ambiguous,
        count(*) filter (method = 'named_not_found') as named_not_found
    from core.response_tickets
    group by all
),

responses as (
    select
        day,
        count(*) as responses
    from core.responses
    group by all
),

days as (
    select
        day,
        coalesce(resolved_tickets, 0) as resolved_tickets,
        coalesce(eligible_tickets, 0) as eligible_tickets,
        coalesce(answered_tickets, 0) as answered_tickets,
        coalesce(responses, 0) as responses,
        coalesce(linked_by_ticket_id, 0) as linked_by_ticket_id,
        coalesce(linked_by_external_id, 0) as linked_by_external_id,
        coalesce(linked_by_requester_window, 0) as linked_by_requester_window,
        coalesce(ambiguous, 0) as ambiguous,
        coalesce(named_not_found, 0) as named_not_found,
        coalesce(linked, 0) as linked
    from tickets
    full join responses using (day)
    full join links using (day)
),

reach as (
    select
        max(day) as newest_day,
        (select ceil(max(link_window_days))::integer from reference.surveys) as answer_window_days
    from core.responses
),

ripe as (
    select
        days.*,
        minimum_n,
        coalesce(newest_day >= day + answer_window_days, false) as is_final,
        case
            when eligible_tickets = 0 then 'no ticket that may be surveyed was resolved'
            when newest_day is null then 'no answers are delivered'
            when not is_final then 'the tickets of the day may still be answered'
            when eligible_tickets < minimum_n then 'fewer than the minimum n'
        end as answered_why_null
    from days
    cross join reach
    cross join reference.settings
)

select
    day,
    resolved_tickets,
    eligible_tickets,
    answered_tickets,
    is_final,
    case when answered_why_null is null then answered_tickets / eligible_tickets end as answered_share,
    case when answered_why_null is null then share_low(answered_tickets, eligible_tickets) end as answered_share_low,
    case when answered_why_null is null then share_high(answered_tickets, eligible_tickets) end as answered_share_high,
    answered_why_null,
    responses,
    linked_by_ticket_id,
    linked_by_external_id,
    linked_by_requester_window,
    ambiguous,
    named_not_found,
    responses - linked - ambiguous - named_not_found as without_ticket,
    case when responses >= minimum_n then linked / responses end as linked_share,
    case when responses >= minimum_n then share_low(linked, responses) end as linked_share_low,
    case when responses >= minimum_n then share_high(linked, responses) end as linked_share_high
from ripe
order by day;
