-- One row per survey x day with invitations, views or responses.
-- Answers: of the customers invited on a day, how many answered? If invitations are delivered (`basis` invitations),
-- their day counts, and each has one AAPOR disposition. Else, if views are delivered (`basis` views), it gives
-- responses per view, which is no response rate. Else (`basis` none) the rate is unknown. Invitations of the newest
-- days may still be answered: they have no rate (`is_final`). `why_null` gives the reason for a null rate.
with invited as (
    select
        survey_id,
        invitations.day,
        case
            when status = 'out_of_scope' then 'out_of_scope'
            when not is_complete_response(flags, questions) then 'partial'
            when response_invitations.response_key is not null then 'complete'
            when status in ('refused', 'started') then 'refusal'
            when status in ('sent', 'delivered', 'opened', 'bounced') then 'non_contact'
            when status in ('failed', 'completed') then 'other'
            else 'unknown_eligibility'
        end as disposition
    from core.invitations
    left join core.response_invitations using (invitation_key)
    left join core.responses using (response_key, survey_id)
    left join reference.surveys using (survey_id)
    where survey_id is not null
),

by_invitation as (
    select
        survey_id,
        day,
        count(*) filter (disposition <> 'out_of_scope') as invited,
        count(*) filter (disposition = 'complete') as completes,
        count(*) filter (disposition = 'partial') as partials,
        count(*) filter (disposition = 'refusal') as refusals,
        count(*) filter (disposition = 'non_contact') as non_contacts,
        count(*) filter (disposition = 'other') as others,
        count(*) filter (disposition = 'unknown_eligibility') as unknown_eligibility,
        count(*) filter (disposition = 'out_of_scope') as out_of_scope
    from invited
    group by survey_id, day
),

viewed as (
    select
        survey_id,
        day,
        sum(coalesce(value, 1)::bigint)::bigint as views
    from core.events
    where event_type = 'survey_views' and survey_id is not null
    group by survey_id, day
),

answered as (
    select
        survey_id,
        responses.day,
        count(*) as responses,
        count(*) filter (response_invitations.response_key is null) as uninvited_responses
    from core.responses
    left join core.response_invitations using (response_key)
    group by survey_id, responses.day
),

newest as (
    select max(day) as day from core.responses
),

joined as (
    select
        survey_id,
        day,
        coalesce(invited, 0) as invited,
        coalesce(completes, 0) as completes,
        coalesce(partials, 0) as partials,
        coalesce(refusals, 0) as refusals,
        coalesce(non_contacts, 0) as non_contacts,
        coalesce(others, 0) as others,
        coalesce(unknown_eligibility, 0) as unknown_eligibility,
        coalesce(out_of_scope, 0) as out_of_scope,
        views,
        coalesce(responses, 0) as responses,
        coalesce(uninvited_responses, 0) as uninvited_responses,
        case
            when coalesce(invited, 0) > 0 then 'invitations' when views > 0 then 'views' else 'none'
        end as basis
    from by_invitation
    full join viewed using (survey_id, day)
    full join answered using (survey_id, day)
),

rated as (
    select
        joined.*,
        case basis when 'invitations' then invited when 'views' then views end as n,
        coalesce(newest.day >= joined.day + invitation_window_days::integer, false) as is_final,
        case
            when basis = 'none' and out_of_scope > 0 then 'every invitation was out of scope'
            when basis = 'none' then 'neither invitations nor views are delivered'
            when basis = 'invitations' and not is_final then 'the invitations of the day may still be answered'
            when n < minimum_n then 'fewer than the minimum n'
            when basis = 'views' and responses > views then 'more responses than views'
        end as why_null
    from joined
    cross join newest
    cross join reference.settings
)

select
    survey_id,
    day,
    basis,
    invited,
    completes,
    partials,
    refusals,
    non_contacts,
    others,
    unknown_eligibility,
    out_of_scope,
    views,
    responses,
    uninvited_responses,
    is_final,
    n,
    case when why_null is null and basis = 'invitations' then completes / n end as response_rate_1,
    case when response_rate_1 is not null then share_low(completes, n) end as response_rate_1_low,
    case when response_rate_1 is not null then share_high(completes, n) end as response_rate_1_high,
    case when response_rate_1 is not null then (completes + partials) / n end as response_rate_2,
    case when response_rate_1 is not null then share_low(completes + partials, n) end as response_rate_2_low,
    case when response_rate_1 is not null then share_high(completes + partials, n) end as response_rate_2_high,
    case when why_null is null and basis = 'views' then responses / n end as completed_views_share,
    case when completed_views_share is not null then share_low(responses, n) end as completed_views_share_low,
    case when completed_views_share is not null then share_high(responses, n) end as completed_views_share_high,
    why_null
from rated
order by survey_id, day;
