-- One row per category (and all tickets) x driver: how strongly effort goes with it, by rank correlation.
-- Answers: is effort higher where tickets take longer, come back, change hands? The query gathers scored answers with
-- their ticket; `ces_pipeline.analysis.drivers` correlates. Above 0: the higher the driver, the harder. An association,
-- not a cause. A null figure: fewer pairs than the minimum n, or one side never varies.
select
    ticket_effort.category,
    effort_0_100,
    first_reply_minutes,
    first_reply_business_minutes,
    resolution_minutes,
    resolution_business_minutes,
    reopens,
    handoffs,
    replies,
    touches,
    channel_switches,
    is_repeat_contact::integer as is_repeat_contact,
    effort_index_0_100,
    minimum_n
from core.response_tickets
inner join core.responses using (response_key)
inner join mart.ticket_effort using (ticket_key)
inner join mart.effort_index using (ticket_key)
cross join reference.settings
-- Most answers of some feeds name no ticket that was delivered: they are left out before the joins.
where response_tickets.ticket_key is not null and effort_0_100 is not null
order by all;
