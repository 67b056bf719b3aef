-- One row per source and business-zone day with requests to its API; requests = answered_2xx + answered_otherwise + unanswered.
-- Answers: how reliable and how fast was the API of a vendor? A request is one attempt; a call is one or more
-- attempts: calls = ok_at_once + ok_after_retry + gave_up + refused. An accepted response such as 404 (not found) is
-- ok. Every request counts, so shares have no interval. Only the share of calls can be null: on a day on which a
-- killed pull left attempts without a result.
with requests as (
    select
        source_id,
        (requested_at at time zone business_time_zone)::date as day,
        status,
        outcome,
        attempt,
        size_bytes,
        seconds
    from audit.requests
    cross join reference.settings
),

counted as (
    select
        source_id,
        day,
        count(*) as requests,
        count(*) filter (status between 200 and 299) as answered_2xx,
        count(*) filter (status not between 200 and 299) as answered_otherwise,
        count(*) filter (status is null) as unanswered,
        count(*) filter (outcome <> 'retried') as calls,
        count(*) filter (outcome = 'ok' and attempt = 1) as ok_at_once,
        count(*) filter (outcome = 'ok' and attempt > 1) as ok_after_retry,
        count(*) filter (outcome = 'gave_up') as gave_up,
        count(*) filter (outcome = 'refused') as refused,
        sum(size_bytes)::bigint as size_bytes,
        quantile_cont(seconds, 0.5) as seconds_p50,
        quantile_cont(seconds, 0.95) as seconds_p95,
        quantile_cont(seconds, 0.99) as seconds_p99,
        max(seconds) as seconds_max
    from requests
    group by all
)

select
    source_id,
    day,
    requests,
    answered_2xx,
    answered_otherwise,
    unanswered,
    answered_2xx / requests as answered_2xx_share,
    calls,
    ok_at_once,
    ok_after_retry,
    gave_up,
    refused,
    (ok_at_once + ok_after_retry) / nullif(calls, 0) as ok_share,
    size_bytes,
    seconds_p50,
    seconds_p95,
    seconds_p99,
    seconds_max
from counted
order by source_id, day;
