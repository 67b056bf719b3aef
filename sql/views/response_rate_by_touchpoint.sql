-- One row per touchpoint and basis of its rate: who of those asked answers, and how long it has been silent.
-- A rate of basis `views` is a completed share of views, no response rate. A null rate: `why_null` tells why.
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
