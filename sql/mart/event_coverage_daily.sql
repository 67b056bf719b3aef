-- One row per day x type of event that triggers a survey, with at least one event.
-- Answers: did every event that should trigger a survey trigger exactly one? An invitation belongs to the event that
-- it names. Every event of the day counts; an invitation out of scope counts as well, because the event was
-- considered. A day has no share until the data reach `invite_window_days` beyond it (`is_final`): its invitations may
-- still come.
with triggers as (
    select distinct lower(trigger_event) as event_type
    from reference.surveys
    where trigger_event is not null
),

invited as (
    select
        event_id,
        count(*) as invitations,
        bool_or(response_invitations.response_key is not null) as is_answered
    from core.invitations
    left join core.response_invitations using (invitation_key)
    where event_id is not null
    group by event_id
),

counted as (
    select
        day,
        event_type,
        count(*) as events,
        count(invitations) as with_invitation,
        count(*) filter (invitations > 1) as with_several_invitations,
        count(*) filter (is_answered) as with_response
    from core.events
    inner join triggers using (event_type)
    left join invited using (event_id)
    group by day, event_type
),

newest as (
    select greatest(
        (select max(day) from core.events),
        (select max(day) from core.invitations),
        (select max(day) from core.responses)
    ) as newest_day
),

ripe as (
    select
        counted.*,
        newest_day >= day + invite_window_days::integer as is_final,
        events < minimum_n as is_suppressed,
        case
            when not is_final then 'the invitations to the events of the day may still come'
            when is_suppressed then 'fewer than the minimum n'
        end as why_null
    from counted
    cross join newest
    cross join reference.settings
)

select
    day,
    event_type,
    events,
    with_invitation,
    with_several_invitations,
    with_response,
    is_final,
    case when why_null is null then with_invitation / events end as invited_share,
    case when why_null is null then share_low(with_invitation, events) end as invited_share_low,
    case when why_null is null then share_high(with_invitation, events) end as invited_share_high,
    is_suppressed,
    why_null
from ripe
order by day, event_type;
