-- blocking of mart.link_coverage_daily: On these days, linked and unlinked answers, or answered and eligible tickets, do not add up. Delete the published file and run `ces run`, which rebuilds it from the lake. If the check still fails, this is a bug: keep the lake folder and open an issue.
with responses as (
    select
        day,
        count(*) as accepted
    from core.responses
    group by all
),

links as (
    select
        day,
        count(*) as linked_or_tried,
        count(ticket_key) as linked
    from core.response_tickets
    group by all
)

select
    day,
    responses,
    accepted,
    linked_by_ticket_id + linked_by_external_id + linked_by_requester_window as linked,
    ambiguous + named_not_found + without_ticket as unlinked
from mart.link_coverage_daily
full join responses using (day)
left join links using (day)
where
    coalesce(responses, 0) <> coalesce(accepted, 0)
    or linked_by_ticket_id + linked_by_external_id + linked_by_requester_window <> coalesce(links.linked, 0)
    or coalesce(accepted, 0) - coalesce(linked_or_tried, 0) <> without_ticket
    or without_ticket < 0
    or answered_tickets > eligible_tickets
    or eligible_tickets > resolved_tickets
order by day;
