-- One row per response to an invitation.
with invited as (
    select
        invitation_key,
        survey_id,
        response_id,
        ticket_id,
        person_key,
        epoch_us(sent_at) as sent_us
    from core.invitations
    where survey_id is not null and status <> 'out_of_scope'
),

answered as (
    select
        response_key,
        survey_id,
        response_id,
        ticket_id,
        respondent_key,
        epoch_us(recorded_at) as recorded_us,
        invitation_window_days * 86400000000 as window_us,
        day
    from core.responses
    cross join reference.settings
    where survey_id in (select survey_id from invited)
),

-- An answer before its invitation matches only if both sides name the same id.
candidates as (
    select
        response_key,
        invitation_key,
        recorded_us,
        sent_us,
        1 as place
    from answered
    inner join invited using (survey_id, response_id)
    union all
    select
        response_key,
        invitation_key,
        recorded_us,
        sent_us,
        2 as place
    from answered
    inner join invited using (survey_id, ticket_id)
    where recorded_us between sent_us and sent_us + window_us
    union all
    select
        response_key,
        invitation_key,
        recorded_us,
        sent_us,
        3 as place
    from answered
    inner join invited
        on answered.survey_id = invited.survey_id and answered.respondent_key = invited.person_key
    where
        recorded_us between sent_us and sent_us + window_us
        -- A different ticket is a different interaction.
        and (answered.ticket_id is null or invited.ticket_id is null or answered.ticket_id = invited.ticket_id)
),

-- An answer belongs to the last invitation before it; of several answers to an invitation, the first counts.
best_of_response as (
    select
        response_key,
        arg_min(invitation_key, (place, -sent_us, invitation_key)) as invitation_key,
        min(place) as place,
        any_value(recorded_us) as recorded_us
    from candidates
    group by response_key
),

best_of_invitation as (
    select
        invitation_key,
        arg_min(response_key, (place, recorded_us, response_key)) as response_key,
        min(place) as place
    from best_of_response
    group by invitation_key
)

select
    response_key,
    invitation_key,
    case place when 1 then 'response_id' when 2 then 'ticket_id' else 'person_window' end as method,
    case place when 1 then 1.0 when 2 then 0.9 else 0.6 end::double as confidence,
    answered.day
from best_of_invitation
inner join answered using (response_key)
order by response_key;
