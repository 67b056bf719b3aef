-- One row per ticket with a difficult answer: what was asked about it, and what its history shows. Newest answer first.
-- Difficult is what the scale of the answer calls so. For the people who solve tickets: none of them is named here.
with difficult as (
    select
        ticket_key,
        max(day) as last_difficult_day,
        count(*) as difficult_answers,
        max(effort_0_100) as hardest_effort_0_100
    from core.response_tickets
    inner join core.responses using (response_key, day)
    where effort_band = 'difficult' and ticket_key is not null
    group by ticket_key
)

select
    difficult.last_difficult_day,
    tickets.source_id,
    tickets.ticket_id,
    effort.category,
    effort.priority,
    effort.channel,
    effort.group_name,
    difficult.difficult_answers,
    difficult.hardest_effort_0_100,
    effort.resolution_minutes,
    effort.replies,
    effort.handoffs,
    effort.reopens,
    effort.is_repeat_contact,
    effort_index.effort_index_0_100
from difficult
inner join mart.ticket_effort as effort using (ticket_key)
inner join core.tickets using (ticket_key)
left join mart.effort_index using (ticket_key)
where not effort.is_deleted
order by last_difficult_day desc, hardest_effort_0_100 desc, source_id, ticket_id;
