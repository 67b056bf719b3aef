-- One row per position of a contact among the contacts of a customer within the contact window, over all sources.
-- Answers: does another contact lower the chance of an answer, and how often do contacts exceed the limit? A contact
-- is an invitation (not one out of scope, bounced or failed) or an answer without an invitation. The last position is
-- for all contacts above the limit; a null position is for contacts of unknown people. Only invitations have an
-- answered share, and only those whose time to answer is over (`final_invitations`).
with newest as (
    select max(day) - any_value(invitation_window_days)::integer as last_final_day
    from core.responses
    cross join reference.settings
),

contacts as not materialized (
    select
        person_key,
        hash(person_key) as person,
        epoch_us(sent_at) as moment,
        true as is_invitation,
        coalesce(invitations.day <= last_final_day, false) as is_final,
        response_invitations.response_key is not null as is_answered
    from core.invitations
    cross join newest
    left join core.response_invitations using (invitation_key)
    where status not in ('out_of_scope', 'bounced', 'failed')
    union all
    select
        respondent_key as person_key,
        hash(respondent_key) as person,
        epoch_us(recorded_at) as moment,
        false as is_invitation,
        false as is_final,
        true as is_answered
    from core.responses
    anti join core.response_invitations using (response_key)
),

-- Most customers have one contact and need no comparison of times. `person` is a hash of the customer, as a number: if two
-- customers share one, their times are compared, separately for each customer.
people as (
    select
        person,
        person_key is not null as is_known,
        count(*) as contacts,
        count(*) filter (is_invitation) as invitations,
        count(*) filter (is_final) as final_invitations,
        count(*) filter (is_final and is_answered) as answered
    from contacts
    group by person, is_known
),

placed as (
    select
        person_key,
        is_invitation,
        is_final,
        is_answered,
        least(
            count(*) over (
                partition by person_key
                order by moment
                range between window_us preceding and current row
            ),
            contact_limit + 1
        ) as place
    from contacts
    semi join (
        select person
        from people
        where contacts > 1 and is_known
    ) as asked_again using (person)
    cross join (
        select
            contact_limit,
            contact_window_days * 86400000000 - 1 as window_us
        from reference.settings
    )
    where person_key is not null
),

counted_apart as (
    select
        place,
        count(*) as contacts,
        count(distinct person_key) as customers,
        count(*) filter (is_invitation) as invitations,
        count(*) filter (is_final) as final_invitations,
        count(*) filter (is_final and is_answered) as answered
    from placed
    group by place
    union all
    select
        case when is_known then least(1, contact_limit + 1) end as place,
        sum(contacts) as contacts,
        count(*) filter (is_known) as customers,
        sum(invitations) as invitations,
        sum(final_invitations) as final_invitations,
        sum(answered) as answered
    from people
    cross join reference.settings
    where contacts = 1 or not is_known
    group by all
),

-- No customer is in both parts.
counted as (
    select
        place,
        sum(contacts)::bigint as contacts,
        sum(customers)::bigint as customers,
        sum(invitations)::bigint as invitations,
        sum(final_invitations)::bigint as final_invitations,
        sum(answered)::bigint as answered
    from counted_apart
    group by place
)

select
    place,
    coalesce(place > contact_limit, false) as is_over_limit,
    contacts,
    customers,
    invitations,
    final_invitations,
    answered,
    final_invitations < minimum_n as is_suppressed,
    shown(is_suppressed, answered / final_invitations) as answered_share,
    shown(is_suppressed, share_low(answered, final_invitations)) as answered_share_low,
    shown(is_suppressed, share_high(answered, final_invitations)) as answered_share_high
from counted
cross join reference.settings
order by place nulls last;
