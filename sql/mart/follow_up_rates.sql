-- One row per week (and all days) x survey (and all surveys) with a scored response.
-- Answers: how many customers with a difficult answer were followed up, contacted and helped, and how soon? Weeks are
-- those of the responses and begin on Monday. The rates and times are those of `final_answers`: difficult answers of
-- days whose time for a follow-up is over. A null share: `why_null` gives the reason. Without a source of follow-ups
-- the shares are unknown, not 0.
with newest as (
    select max(day) - any_value(follow_up_window_days)::integer as last_final_day
    from core.responses
    cross join reference.settings
),

answer_weeks as (
    select
        survey_id,
        date_trunc('week', day)::date as week,
        min(day) over () as first_day,
        difficult_count,
        day <= last_final_day as is_final
    from mart.ces_daily
    cross join newest
),

answers as (
    select
        if(grouping(week) = 0, 'week', 'all') as period,
        coalesce(week, min(first_day)) as period_start,
        coalesce(survey_id, 'all surveys') as survey_id,
        sum(difficult_count)::bigint as difficult_answers,
        coalesce(sum(difficult_count) filter (is_final), 0)::bigint as final_answers
    from answer_weeks
    group by grouping sets ((week, survey_id), (week), (survey_id), ())
    having count(*) > 0
),

follow_up_weeks as (
    select
        follow_ups.survey_id,
        date_trunc('week', follow_ups.day)::date as week,
        first_day,
        state,
        minutes_to_contact,
        minutes_to_resolve
    from mart.follow_ups
    cross join (select min(day) as first_day from mart.ces_daily)
    where is_final
),

followed as (
    select
        if(grouping(week) = 0, 'week', 'all') as period,
        coalesce(week, min(first_day)) as period_start,
        coalesce(survey_id, 'all surveys') as survey_id,
        count(*) filter (state <> 'none') as followed_up,
        count(*) filter (state in ('contacted', 'resolved')) as contacted,
        count(*) filter (state = 'resolved') as resolved,
        count(minutes_to_contact) as timed_contacts,
        count(minutes_to_resolve) as timed_resolutions,
        quantile_cont(minutes_to_contact, 0.5) as median_to_contact,
        quantile_cont(minutes_to_resolve, 0.5) as median_to_resolve
    from follow_up_weeks
    group by grouping sets ((week, survey_id), (week), (survey_id), ())
    having count(*) > 0
),

counted as (
    select
        answers.period,
        answers.period_start,
        answers.survey_id,
        difficult_answers,
        final_answers,
        case when is_delivered then coalesce(followed_up, 0) end as followed_up,
        case when is_delivered then coalesce(contacted, 0) end as contacted,
        case when is_delivered then coalesce(resolved, 0) end as resolved,
        case when timed_contacts >= minimum_n then median_to_contact end as median_minutes_to_contact,
        case when timed_resolutions >= minimum_n then median_to_resolve end as median_minutes_to_resolve,
        case
            when not is_delivered then 'no follow-ups are delivered'
            when difficult_answers = 0 then 'no answer was difficult'
            when final_answers = 0 then 'the answers may still be followed up'
            when final_answers < minimum_n then 'fewer than the minimum n'
        end as why_null
    from answers
    left join followed using (period, period_start, survey_id)
    cross join (select exists (from core.follow_ups) as is_delivered)
    cross join reference.settings
)

select
    counted.*,
    final_answers - followed_up as not_followed_up,
    case when why_null is null then followed_up / final_answers end as followed_up_share,
    case when why_null is null then share_low(followed_up, final_answers) end as followed_up_share_low,
    case when why_null is null then share_high(followed_up, final_answers) end as followed_up_share_high,
    case when why_null is null then contacted / final_answers end as contacted_share,
    case when why_null is null then share_low(contacted, final_answers) end as contacted_share_low,
    case when why_null is null then share_high(contacted, final_answers) end as contacted_share_high,
    case when why_null is null then resolved / final_answers end as resolved_share,
    case when why_null is null then share_low(resolved, final_answers) end as resolved_share_low,
    case when why_null is null then share_high(resolved, final_answers) end as resolved_share_high
from counted
order by period, period_start, survey_id;
