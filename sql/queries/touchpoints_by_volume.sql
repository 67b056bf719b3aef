-- Which survey should we start with? By volume: customers it asks (invitations, else views, else only answers), and answers.
with volumes as (
    select
        survey_id,
        sum(invited) as invited,
        sum(views) as views,
        sum(responses)::bigint as responses,
        coalesce(nullif(sum(invited), 0), nullif(sum(views), 0), sum(responses))::bigint as volume,
        case
            when sum(invited) > 0 then 'invitations' when sum(views) > 0 then 'views' else 'answers alone'
        end as counted_by
    from mart.response_funnel_daily
    group by survey_id
)

select
    row_number() over (order by coalesce(volume, 0) desc, survey_id) as suggested_order,
    survey_id,
    owner,
    coalesce(volume, 0) as volume,
    coalesce(counted_by, 'nothing was delivered') as counted_by,
    round(coalesce(volume, 0) / sum(volume) over (), 3) as volume_share,
    coalesce(responses, 0) as responses
from reference.surveys
left join volumes using (survey_id)
order by suggested_order;
