-- Accepted responses with the title of the survey and the facts of their ticket; without a ticket, these are null.
-- column link_method: How the ticket was found: `ticket_id`, `external_id`, `requester_window`; if it was not, `named_not_found` or `ambiguous`; null: no ticket is named or matches.
-- column ticket_key: Hash of source and ticket id of the linked ticket; null: none.
select
    responses.*,
    surveys.title as survey_title,
    surveys.owner as survey_owner,
    response_tickets.method as link_method,
    response_tickets.confidence as link_confidence,
    tickets.ticket_key,
    tickets.category as ticket_category,
    tickets.group_name as ticket_group,
    tickets.resolution_minutes,
    tickets.reopens
from core.responses
left join reference.surveys using (survey_id)
left join core.response_tickets using (response_key)
left join core.tickets using (ticket_key);
