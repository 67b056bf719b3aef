-- One row per difficult response, if follow-ups are delivered.
-- Answers: did somebody call back customers with a difficult answer, how soon, and is the issue resolved? A response
-- is difficult by the boxes of its own scale. `state` is the furthest step that was reported; a later step back does
-- not undo it. A null time: that step was not reported. `is_final`: the time for a follow-up is over. The agent is not
-- shown. Empty if no source delivers follow-ups.
with steps as (
    select
        links.response_key,
        count(distinct follow_up_key) as follow_ups,
        min(changed_at) filter (state = 'assigned') as assigned_at,
        min(changed_at) filter (state = 'contacted') as contacted_at,
        min(changed_at) filter (state = 'resolved') as resolved_at
    from core.response_follow_ups as links
    inner join core.follow_ups using (follow_up_key)
    inner join core.responses using (response_key)
    where links.method = 'response_id' or changed_at >= recorded_at
    group by links.response_key
),

difficult as (
    select
        response_key,
        survey_id,
        day,
        recorded_at,
        effort_0_100
    from core.responses
    where effort_band = 'difficult' and exists (from core.follow_ups)
),

newest as (
    select
        max(day) as day,
        max(day) - any_value(follow_up_window_days)::integer as last_final_day
    from core.responses
    cross join reference.settings
)

select
    response_key,
    difficult.survey_id,
    difficult.day,
    difficult.day <= last_final_day as is_final,
    links.ticket_key,
    difficult.effort_0_100,
    coalesce(steps.follow_ups, 0) as follow_ups,
    case
        when resolved_at is not null then 'resolved'
        when contacted_at is not null then 'contacted'
        when assigned_at is not null then 'assigned'
        when steps.follow_ups > 0 then 'unknown'
        else 'none'
    end as state,
    assigned_at,
    contacted_at,
    resolved_at,
    case
        when contacted_at >= recorded_at then (epoch_us(contacted_at) - epoch_us(recorded_at)) / 6e7
    end as minutes_to_contact,
    case
        when resolved_at >= recorded_at then (epoch_us(resolved_at) - epoch_us(recorded_at)) / 6e7
    end as minutes_to_resolve,
    case when resolved_at is null then newest.day - difficult.day end as open_days
from difficult
cross join newest
left join steps using (response_key)
left join core.response_tickets as links using (response_key)
order by day, response_key;
