-- warning of mart.response_rates: These surveys had no response for `silent_touchpoint_days`, while others had. Ask their owner. If a survey has ended, set `live_to` in surveys.yaml; if its source has ended, `ended_on` in sources.yaml.
with last_response as (
    select
        survey_id,
        max(last_response_day) as last_response_day,
        min(days_silent) as days_silent
    from mart.response_rates
    group by survey_id
),

newest as (
    select max(last_response_day) as day from mart.response_rates
),

-- Surveys whose answers came from sources that have all ended.
ended as (
    select responses.survey_id
    from core.responses
    inner join reference.sources using (source_id)
    cross join newest
    group by responses.survey_id
    having bool_and(coalesce(sources.ended_on <= newest.day, false))
)

select
    survey_id,
    last_response_day
from last_response
inner join reference.surveys using (survey_id)
cross join newest
cross join reference.settings
where
    newest.day is not null
    and coalesce(live_from <= newest.day - silent_touchpoint_days::integer, true)
    and coalesce(live_to >= newest.day, true)
    and coalesce(days_silent >= silent_touchpoint_days, true)
    and survey_id not in (select survey_id from ended)
order by survey_id;
