-- One row per ticket with a difficult answer in the last 28 days, and its history. Newest answer first, then hardest.
-- An answer is difficult by the boxes of its scale. For the people who solve tickets: the view names no customer.
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
