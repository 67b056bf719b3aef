-- blocking of mart.program_metrics: The metrics of the programme do not add up to the marts that they come from, or a metric has no row. Delete the published file and run `ces run`, which rebuilds it from the lake. If the check still fails, this is a bug: keep the lake folder and open an issue.
with sums as (
    select
        metric,
        sum(n)::bigint as counted,
        round(sum(value * n) filter (state = 'measured'))::bigint as counted_of_measured
    from mart.program_metrics
    group by metric
),

expected (metric, counted) as (
    select 'captured_share', sum(expected) filter (expected > 0) from mart.capture_daily
    union all
    select 'api_calls_ok_share', sum(calls) from mart.requests_daily
    union all
    select 'tickets_answered_share', sum(eligible_tickets) from mart.link_coverage_daily
    union all
    select 'responses_linked_share', sum(responses) from mart.link_coverage_daily
    union all
    select 'response_rate_1', sum(invited) from mart.response_funnel_daily
    union all
    select 'completed_views_share', sum(n) filter (basis = 'views') from mart.response_funnel_daily
    union all
    select 'rejected_share', sum(accepted + rejected) from mart.quality_daily
    union all
    select 'redelivered_share', sum(landed) from mart.quality_daily
    union all
    select 'anomalies', count(*) filter (z is not null) from mart.anomalies_daily
    union all
    select 'readable_checks_share', count(distinct probe_id) from audit.probes
    union all
    select 'followed_up_share', sum(final_answers)
    from mart.follow_up_rates
    where period = 'week' and survey_id = 'all surveys'
    union all
    select 'mean_ease_0_100', count(ease_0_100) from core.responses
    union all
    select 'ease_variance_share', 2 * count(ease_0_100) from core.responses
    union all
    select 'fix_effort_change_0_100', sum(n_before + n_after)
    from mart.fix_impact
    where method = 'difference in differences'
    union all
    select 'fix_tickets_change_share', sum(n_before + n_after)
    from mart.fix_ticket_impact
    where method = 'difference in differences'
),

-- Shares that count every row are always measured: their numerators must match as well.
expected_above (metric, counted) as (
    select 'rejected_share', sum(rejected) from mart.quality_daily
    union all
    select 'redelivered_share', sum(redelivered) from mart.quality_daily
    union all
    select 'api_calls_ok_share', sum(ok_at_once + ok_after_retry) from mart.requests_daily
)

select
    metric,
    'n' as what,
    coalesce(sums.counted, 0) as counted,
    coalesce(expected.counted, 0)::bigint as expected
from expected
left join sums using (metric)
where coalesce(sums.counted, 0) <> coalesce(expected.counted, 0)
union all
select
    metric,
    'counted' as what,
    coalesce(sums.counted_of_measured, 0) as counted,
    coalesce(expected_above.counted, 0)::bigint as expected
from expected_above
left join sums using (metric)
where coalesce(sums.counted_of_measured, 0) <> coalesce(expected_above.counted, 0)
union all
select
    metric,
    'metric' as what,
    count(distinct segment || day) as counted,
    count(*) as expected
from mart.program_metrics
where (state = 'measured') <> (why_null is null) or (state = 'measured') <> (value is not null)
group by metric
order by metric, what;
