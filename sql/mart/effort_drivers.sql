-- One row per category (and all tickets) x driver: its rank correlation with effort.
-- Answers: is effort higher if tickets take longer, are reopened or change hands? The query collects scored answers
-- with their ticket; `ces_pipeline.statistics.drivers` computes the correlations, and verdicts with false-discovery
-- control among all of them. Above 0: the higher the driver, the harder. It is an association, not a cause. A null figure:
-- fewer pairs than the minimum n, or one side never varies. The order of the evidence does not matter.
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
-- In some sources, most answers name no delivered ticket: they are excluded before the joins.
where
    response_tickets.ticket_key is not null
    and effort_0_100 is not null
    -- Always so for these answers. It saves the index of all other tickets, because mart.effort_index is a view.
    and effort_index.linked_scores > 0;
