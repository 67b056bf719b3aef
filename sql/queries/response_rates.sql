-- Who of the invited customers answers? Response rate per survey with its interval, or the reason for none.
select
    survey_id,
    basis,
    n,
    round(rate, 3) as rate,
    round(rate_low, 3) as rate_low,
    round(rate_high, 3) as rate_high,
    responses,
    days_silent,
    why_null
from response_rate_by_touchpoint
order by survey_id, basis;
