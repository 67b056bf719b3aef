-- One row per survey x day x step from event to published answer, with at least one measured case.
-- Answers: how long does it take from the event to the invitation, to the answer, to its landing, to its publishing?
-- `response_to_published` is the way of an answer as one step.
-- The day is that of the invitation in the first step, of the answer in the other steps. A negative time is a clock
-- error: it is counted, but not part of the percentiles. A null percentile has fewer cases than the minimum n.
with delivered as (
    select
        source_id,
        delivery_id,
        received_at
    from audit.deliveries
),

-- Every publish adds its check results; audit.publication names the publish of this file.
publishes as (
    select max(checked_at) as published_at
    from audit.check_results
    group by run_id
    having count(*) filter (is_blocking and not passed) = 0
    union
    select published_at from audit.publication
),

landings as (
    select
        source_id,
        delivery_id,
        received_at,
        published_at
    from delivered
    asof left join publishes on received_at <= published_at
),

passes as (
    select
        invitations.survey_id,
        invitations.day,
        'event_to_invitation' as step,
        epoch_us(sent_at) - epoch_us(occurred_at) as microseconds
    from core.invitations
    inner join core.events using (event_id)
    where invitations.survey_id is not null and invitations.status <> 'out_of_scope'
    union all
    select
        responses.survey_id,
        responses.day,
        'invitation_to_response' as step,
        epoch_us(recorded_at) - epoch_us(sent_at) as microseconds
    from core.responses
    inner join core.response_invitations using (response_key)
    inner join core.invitations using (invitation_key)
    union all
    select
        survey_id,
        day,
        'response_to_landed' as step,
        epoch_us(received_at) - epoch_us(recorded_at) as microseconds
    from core.responses
    inner join landings using (source_id, delivery_id)
    union all
    select
        survey_id,
        day,
        'landed_to_published' as step,
        epoch_us(published_at) - epoch_us(received_at) as microseconds
    from core.responses
    inner join landings using (source_id, delivery_id)
    where published_at is not null
    union all
    select
        survey_id,
        day,
        'response_to_published' as step,
        epoch_us(published_at) - epoch_us(recorded_at) as microseconds
    from core.responses
    inner join landings using (source_id, delivery_id)
    where published_at is not null
),

measured as (
    select
        survey_id,
        day,
        step,
        count(*) filter (microseconds >= 0) as n,
        count(*) filter (microseconds < 0) as negative_count,
        quantile_disc(microseconds, [0.5, 0.9, 0.95, 1.0]) filter (microseconds >= 0) as quantiles
    from passes
    group by survey_id, day, step
)

select
    survey_id,
    day,
    step,
    n,
    negative_count,
    case when n >= minimum_n then round(quantiles[1] / 60e6, 4) end as p50_minutes,
    case when n >= minimum_n then round(quantiles[2] / 60e6, 4) end as p90_minutes,
    case when n >= minimum_n then round(quantiles[3] / 60e6, 4) end as p95_minutes,
    case when n >= minimum_n then round(quantiles[4] / 60e6, 4) end as longest_minutes,
    n < minimum_n as is_suppressed
from measured
cross join reference.settings
order by survey_id, day, step;
