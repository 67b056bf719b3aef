-- One row per survey and basis of its rate: its response rate, and how long it has been silent.
-- A rate with basis `views` is responses per view, which is no response rate. Null rate: `why_null` gives the reason.
select
    rates.survey_id,
    surveys.title as survey_title,
    rates.owner as survey_owner,
    rates.basis,
    rates.n,
    rates.rate,
    rates.rate_low,
    rates.rate_high,
    rates.responses,
    rates.last_response_day,
    rates.days_silent,
    rates.why_null
from mart.response_rates as rates
left join reference.surveys using (survey_id)
order by survey_id, basis;
