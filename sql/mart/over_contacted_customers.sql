-- One row per customer with more contacts than the contact limit within a contact window, over all sources.
-- Answers: whom do we ask too often? Contacts are those of `mart.contact_frequency`; contacts of unknown people cannot
-- be counted.
with contacts as not materialized (
    select
        person_key,
        hash(person_key) as person,
        sent_at as moment,
        survey_id,
        day
    from core.invitations
    where status not in ('out_of_scope', 'bounced', 'failed')
    union all
    select
        respondent_key as person_key,
        hash(respondent_key) as person,
        recorded_at as moment,
        survey_id,
        day
    from core.responses
    anti join core.response_invitations using (response_key)
),

-- Few customers have so many contacts: only their times are compared. The groups are by a hash of the customer, as a
-- number; if two customers share one, their times are compared separately.
often_asked as (
    select person
    from contacts
    where person_key is not null
    group by person
    having count(*) > (select contact_limit from reference.settings)
),

placed as (
    select
        person_key,
        day,
        survey_id,
        count(*) over (
            partition by person_key
            order by epoch_us(moment)
            range between window_us preceding and current row
        ) as contacts_in_window,
        contact_limit
    from contacts
    semi join often_asked using (person)
    cross join (
        select
            contact_limit,
            contact_window_days * 86400000000 - 1 as window_us
        from reference.settings
    )
)

select
    person_key,
    count(*) as contacts,
    count(distinct survey_id) as touchpoints,
    max(contacts_in_window) as most_in_window,
    count(*) filter (contacts_in_window > contact_limit) as contacts_over_limit,
    min(day) filter (contacts_in_window > contact_limit) as first_over_day,
    max(day) filter (contacts_in_window > contact_limit) as last_over_day
from placed
group by person_key
having max(contacts_in_window) > any_value(contact_limit)
order by person_key;
