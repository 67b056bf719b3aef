-- warning: These touchpoints were shown in the last week and nobody answered. Look at the survey itself: it may be broken; or its answers are no longer delivered.
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
