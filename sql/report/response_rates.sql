-- Who of the invited customers answers, over all days whose time to answer is over.
select
    survey_id,
    basis,
    n,
    rate,
    rate_low,
    rate_high,
    why_null
from mart.response_rates
order by survey_id, basis;
