-- One row per registered survey and basis of its rate.
-- Answers: which surveys get answers, and which have become silent? Days of the same basis are pooled by their counts;
-- days whose invitations may still be answered are not part of the rate. A null rate: `why_null` gives the reason.
with pooled as (
    select
        survey_id,
        basis,
        sum(n) filter (is_final or basis = 'views') as n,
        sum(completes) filter (is_final) as completes,
        sum(partials) filter (is_final) as partials,
        sum(responses) filter (basis = 'views') as responses_to_views,
        sum(responses) as responses,
        sum(uninvited_responses) as uninvited_responses,
        max(day) filter (responses > 0) as last_response_day
    from mart.response_funnel_daily
    group by survey_id, basis
),

newest as (
    select max(day) as day from core.responses
),

rated as (
    select
        surveys.survey_id,
        coalesce(pooled.basis, 'none') as basis,
        surveys.owner,
        coalesce(pooled.responses, 0)::bigint as responses,
        coalesce(pooled.uninvited_responses, 0)::bigint as uninvited_responses,
        pooled.last_response_day,
        newest.day - pooled.last_response_day as days_silent,
        pooled.n::bigint as n,
        case pooled.basis
            when 'invitations' then pooled.completes when 'views' then pooled.responses_to_views
        end as answered,
        pooled.completes + pooled.partials as answered_at_all,
        case
            when pooled.survey_id is null then 'no response, invitation or view was delivered'
            when pooled.basis = 'none' then 'neither invitations nor views are delivered'
            when coalesce(pooled.n, 0) < minimum_n then 'fewer than the minimum n'
            when pooled.basis = 'views' and pooled.responses_to_views > pooled.n then 'more responses than views'
        end as why_null
    from reference.surveys
    left join pooled using (survey_id)
    cross join newest
    cross join reference.settings
)

select
    survey_id,
    basis,
    owner,
    responses,
    uninvited_responses,
    last_response_day,
    days_silent,
    n,
    case when why_null is null then answered / n end as rate,
    case when why_null is null then share_low(answered, n) end as rate_low,
    case when why_null is null then share_high(answered, n) end as rate_high,
    case
        when why_null is null and basis = 'invitations' then answered_at_all / n
    end as response_rate_2,
    why_null
from rated
order by survey_id, basis;
