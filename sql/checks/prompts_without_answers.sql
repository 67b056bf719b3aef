-- warning of mart.response_funnel_daily: These surveys were shown in the last week, but have no answer. The survey may be broken, or its answers are no longer delivered: open the survey and check its source.
with last_week as (
    select
        survey_id,
        sum(coalesce(views, 0) + invited) as prompts,
        sum(responses) as responses
    from mart.response_funnel_daily
    where day > (select max(day) from mart.response_funnel_daily) - 7
    group by survey_id
)

select
    survey_id,
    prompts
from last_week
cross join reference.settings
where prompts >= minimum_n and responses = 0
order by survey_id;
