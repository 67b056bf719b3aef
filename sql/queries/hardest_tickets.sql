-- Which tickets need attention first? The twenty newest with a difficult answer, hardest and longest first.
select
    last_difficult_day,
    source_id,
    ticket_id,
    category,
    group_name,
    round(hardest_effort_0_100, 1) as hardest_effort_0_100,
    round(resolution_minutes / 60, 1) as resolution_hours,
    replies,
    handoffs,
    reopens,
    is_repeat_contact
from hard_tickets
order by last_difficult_day desc, hardest_effort_0_100 desc, resolution_minutes desc nulls last, source_id, ticket_id
limit 20;
