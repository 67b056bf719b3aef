-- mart.over_contacted_customers follows the people with a changed answer or invitation, and those of answers whose invitation
-- changed.

-- replaces person_key in (select person_key from scope)
-- scope
select respondent_key as person_key from changed.responses
where respondent_key is not null
union
select person_key from changed.invitations
where person_key is not null
union
select respondent_key as person_key from core.responses
where
    respondent_key is not null
    and response_key in (select response_key from changed.response_invitations);

-- input core.invitations
select
    person_key,
    sent_at,
    survey_id,
    day,
    status
from core.invitations
where person_key in (select person_key from scope);

-- input core.responses
select
    response_key,
    respondent_key,
    recorded_at,
    survey_id,
    day
from core.responses
where respondent_key in (select person_key from scope);

-- input core.response_invitations
select * from core.response_invitations
where response_key in (select response_key from narrowed.core.responses);
