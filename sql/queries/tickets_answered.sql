-- For how much of the work do we have answers? Tickets that could have one by now and have one, and answers by their link.
select
    coalesce(sum(eligible_tickets) filter (is_final), 0)::bigint as eligible_tickets,
    coalesce(sum(answered_tickets) filter (is_final), 0)::bigint as answered_tickets,
    case
        when sum(eligible_tickets) filter (is_final) >= any_value(settings.minimum_n)
            then round(sum(answered_tickets) filter (is_final) / sum(eligible_tickets) filter (is_final), 3)
    end as answered_share,
    sum(responses)::bigint as responses,
    sum(linked_by_ticket_id)::bigint as linked_by_ticket_id,
    sum(linked_by_external_id)::bigint as linked_by_external_id,
    sum(linked_by_requester_window)::bigint as linked_by_requester_window,
    sum(ambiguous)::bigint as ambiguous,
    sum(named_not_found)::bigint as named_not_found,
    sum(without_ticket)::bigint as without_ticket
from mart.link_coverage_daily
cross join reference.settings
order by all;
