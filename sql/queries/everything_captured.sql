-- Did we get everything that the sources have? Spans and records per source and state; unknown never counts as complete.
select
    source_id,
    state,
    basis,
    count(*) as spans,
    sum(landed)::bigint as landed,
    sum(expected)::bigint as expected,
    min(day) as first_day,
    max(day) as last_day
from mart.capture_daily
group by source_id, state, basis
order by source_id, state, basis;
