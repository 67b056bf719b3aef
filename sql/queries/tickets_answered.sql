-- For how much of the work do we have answers? Share of tickets with an answer, and of linked answers, by method, all days.
select
    sum(eligible_tickets)::bigint as eligible_tickets,
    sum(answered_tickets)::bigint as answered_tickets,
    round(sum(answered_tickets) / sum(eligible_tickets), 3) as answered_share,
    sum(responses)::bigint as responses,
    sum(linked_by_ticket_id)::bigint as linked_by_ticket_id,
    sum(linked_by_external_id)::bigint as linked_by_external_id,
    sum(linked_by_requester_window)::bigint as linked_by_requester_window,
    sum(ambiguous)::bigint as ambiguous,
    sum(named_not_found)::bigint as named_not_found,
    sum(without_ticket)::bigint as without_ticket
from mart.link_coverage_daily
order by all;
