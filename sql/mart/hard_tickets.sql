-- One row per ticket with a difficult answer within the 28 days that end on the newest response day.
-- Answers: which tickets need somebody's attention? An answer is difficult by the boxes of its scale. The table is for
-- those who solve tickets and names no person. Deleted tickets are left out. For older tickets see mart.ticket_effort.
with difficult as (
    select
        ticket_key,
        max(day) as last_difficult_day,
        count(*) as difficult_answers,
        max(effort_0_100) as hardest_effort_0_100
    from core.responses
    inner join core.response_tickets using (response_key, day)
    where
        day > (select max(day) from core.responses) - 28
        and effort_band = 'difficult'
        and ticket_key is not null
    group by ticket_key
)

select
    difficult.*,
    tickets.source_id,
    tickets.ticket_id,
    effort.category,
    effort.priority,
    effort.channel,
    effort.group_name,
    effort.resolution_minutes,
    effort.replies,
    effort.handoffs,
    effort.reopens,
    effort.is_repeat_contact,
    indices.effort_index_0_100
from difficult
inner join mart.ticket_effort as effort using (ticket_key)
inner join core.tickets using (ticket_key)
left join (
    select
        ticket_key,
        effort_index_0_100
    from mart.effort_index
    -- Always so for these tickets. It saves the index of all others, because mart.effort_index is a view.
    where linked_scores > 0
) as indices using (ticket_key)
where not effort.is_deleted
order by last_difficult_day, ticket_key;
