-- One row per ticket with a difficult answer in the last 28 days: what its history shows. Newest answer first, then hardest.
-- Difficult is what the scale of the answer calls so. For the people who solve tickets: none of them is named here.
select
    last_difficult_day,
    source_id,
    ticket_id,
    category,
    priority,
    channel,
    group_name,
    difficult_answers,
    hardest_effort_0_100,
    resolution_minutes,
    replies,
    handoffs,
    reopens,
    is_repeat_contact,
    effort_index_0_100
from mart.hard_tickets
order by last_difficult_day desc, hardest_effort_0_100 desc, source_id, ticket_id;
