-- blocking of core.response_tickets: These links name a response or a ticket that is not published. Delete the published file and run `ces run`, which rebuilds it from the lake. If the check still fails, this is a bug: keep the lake folder and open an issue.
select
    method,
    count(*) as links
from core.response_tickets
left join core.responses using (response_key)
left join core.tickets using (ticket_key)
where
    responses.response_key is null
    or (response_tickets.ticket_key is not null and tickets.ticket_key is null)
    or (response_tickets.ticket_key is null) <> (method in ('ambiguous', 'named_not_found'))
group by method
order by method;
