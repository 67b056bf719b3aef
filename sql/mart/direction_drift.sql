-- One row per source, survey and signal: does ease still go with the signal in the old direction?
-- Answers: did a source begin to deliver its score the other way round, or another column as its score? The query lists
-- the sums by day; `ces_pipeline.statistics.direction` judges them. A drift is shown; no score is changed by it. From
-- the first of January of the year before the newest answer.
select
    source_id,
    survey_id,
    signal,
    day,
    case when signal in ('csat', 'nps', 'ticket_csat') then 1 else 0 end as expected_sign,
    n::double as n,
    ease_sum_0_100,
    ease_square_sum_0_100,
    signal_sum,
    signal_square_sum,
    product_sum,
    minimum_n
from mart.score_signals_daily
cross join reference.settings
where day >= (select make_date(year(max(day)) - 1, 1, 1) from mart.score_signals_daily)
order by source_id, survey_id, signal, day;
