-- One row per metric, segment and day: how well the programme itself works.
-- Answers: can the figures of the programme be trusted, and do they lead to action? Daily metrics have a row on every
-- day with data for any of them, weekly ones on the Monday of the week, those of fixes on the day on which the fix
-- went live. `state` shows whether there is a value; if there is none, `why_null` gives the reason: too few
-- (`suppressed`), nothing to measure that day, or a part that is not used here. Shares that count every row (captured,
-- requests, rejected) have no interval. Medians of several surveys cannot be pooled: latency is that of the slowest
-- survey.
with catalogue (metric_id, metric, segment, cadence, unit, missing, definition) as (
    values
    (
        'M1a', 'captured_share', 'all', 'day', 'share', 'no vendor says how many records it has for this day',
        'Landed of expected records, where a vendor says how many there are, in spans that begin on the day (UTC).'
    ),
    (
        'M1b', 'api_calls_ok_share', 'all', 'day', 'share', 'no API was asked',
        'Calls to APIs that ended well, at once or after a retry, of all calls that came to an end.'
    ),
    (
        'M2', 'ease_variance_share', 'channel', 'day', 'share', 'no answers',
        'Share of the variance of ease that goes with the channels, corrected for chance (omega squared).'
    ),
    (
        'M2', 'ease_variance_share', 'persona', 'day', 'share', 'no answers',
        'Share of the variance of ease that goes with the personas, corrected for chance (omega squared).'
    ),
    (
        'M3', 'tickets_answered_share', 'all', 'day', 'share', 'no ticket that may be surveyed was resolved',
        'Tickets resolved on the day that have a linked response, of those that may be surveyed, once the time to '
        || 'answer is over; Wilson.'
    ),
    (
        'M3', 'responses_linked_share', 'all', 'day', 'share', 'no responses',
        'Responses of the day that are linked to a ticket, by any method, of all accepted ones; Wilson.'
    ),
    (
        'M4a', 'detection_minutes', 'event_to_alert', 'day', 'minutes', 'nothing raises alerts here',
        'From the first event that a spike affects to its alert.'
    ),
    (
        'M4a', 'detection_minutes', 'response_to_alert', 'day', 'minutes', 'nothing raises alerts here',
        'From the first response of a spike to its alert.'
    ),
    ('M4b', 'alerts', 'all', 'day', 'alerts', 'nothing raises alerts here', 'Alerts of the day, repeated ones apart.'),
    (
        'M4b', 'repeated_alerts', 'all', 'day', 'alerts', 'nothing raises alerts here',
        'Alerts of the day that repeat an incident that was already reported.'
    ),
    (
        'M4c', 'readable_checks_share', 'all', 'day', 'share', 'no probe opened the published file that day',
        'Probes in which the published file opened and answered each of five questions in time, of all probes.'
    ),
    (
        'M4c', 'freshness_minutes', 'all', 'day', 'minutes', 'no probe opened the published file that day',
        'Age of the newest response of the published file at a probe, the greatest of the day.'
    ),
    (
        'M4d', 'alert_response_minutes', 'all', 'day', 'minutes', 'nothing raises alerts here',
        'From an alert to its acknowledgement.'
    ),
    (
        'M4d', 'alert_resolution_minutes', 'all', 'day', 'minutes', 'nothing raises alerts here',
        'From an alert until its incident is over.'
    ),
    (
        'M5a', 'response_rate_1', 'all', 'day', 'share', 'no invitations are delivered for this day',
        'Complete responses of the invitations of the day (AAPOR RR1), all touchpoints, once the time to answer is '
        || 'over; Wilson.'
    ),
    (
        'M5a', 'response_rate_2', 'all', 'day', 'share', 'no invitations are delivered for this day',
        'Complete and partial responses likewise (AAPOR RR2); Wilson.'
    ),
    (
        'M5a', 'completed_views_share', 'all', 'day', 'share', 'no views are delivered for this day',
        'Responses of views, where views are delivered and invitations are not: no response rate; Wilson.'
    ),
    (
        'M5b', 'latency_p50_minutes', 'event_to_invitation', 'day', 'minutes', 'no invitation names its event',
        'Median from the event to the invitation, of the slowest touchpoint.'
    ),
    (
        'M5b', 'latency_p50_minutes', 'invitation_to_response', 'day', 'minutes', 'no response came of an invitation',
        'Median from the invitation to the response, of the slowest touchpoint.'
    ),
    (
        'M5b', 'latency_p50_minutes', 'response_to_landed', 'day', 'minutes', 'no responses',
        'Median from the response to its landing, of the slowest touchpoint.'
    ),
    (
        'M5b', 'latency_p50_minutes', 'landed_to_published', 'day', 'minutes', 'no responses',
        'Median from landing to the first publish with it, of the slowest touchpoint.'
    ),
    (
        'M5b', 'latency_p50_minutes', 'response_to_published', 'day', 'minutes', 'no responses',
        'Median from the response to the first publish with it, of the slowest touchpoint.'
    ),
    (
        'M5b', 'latency_p95_minutes', 'response_to_published', 'day', 'minutes', 'no responses',
        '95th percentile from the response to the first publish with it, of the slowest touchpoint.'
    ),
    (
        'M6a', 'model_precision_share', 'all', 'day', 'share', 'no model predicts effort here',
        'Cases rightly predicted hard, of all predicted hard, in a later span of time.'
    ),
    (
        'M6a', 'model_recall_share', 'all', 'day', 'share', 'no model predicts effort here',
        'Cases rightly predicted hard, of all that were hard, in a later span of time.'
    ),
    (
        'M6b', 'routing_uplift_0_100', 'all', 'day', 'points 0 to 100', 'no cases are routed by a prediction',
        'Effort of cases assigned to routing minus effort of those that were not, as assigned.'
    ),
    (
        'M7a', 'commented_share', 'all', 'day', 'share', 'no complete responses',
        'Complete responses with a comment that says something (two letters, not `n/a` or `none`), of all; Wilson.'
    ),
    (
        'M7b', 'mean_sentiment', 'all', 'day', 'score', 'the sentiment of comments is not kept',
        'Mean sentiment of comments, by one version of one method.'
    ),
    (
        'M8a', 'rejected_share', 'all', 'day', 'share', 'no rows were judged',
        'Rows that at least one rule rejects, of all judged; each rule in mart.quality_daily.'
    ),
    (
        'M8a', 'suspect_share', 'all', 'day', 'share', 'no rows were accepted',
        'Accepted rows that at least one rule marks suspect; each rule in mart.quality_daily.'
    ),
    (
        'M8a', 'anomalies', 'all', 'day', 'anomalies', 'no figure is judged yet: it needs eight weeks of rows',
        'Figures that raised an alarm on the day (mart.anomalies_daily), of the n that were judged.'
    ),
    (
        'M8b', 'duplicate_share', 'all', 'day', 'share', 'no rows were judged',
        'Rows rejected as duplicates (same person, survey and ticket, or a double submit), of all judged.'
    ),
    (
        'M8b', 'redelivered_share', 'all', 'day', 'share', 'no rows were landed',
        'Copies of a row already landed, of all rows delivered.'
    ),
    (
        'M8b', 'superseded_share', 'all', 'day', 'share', 'no rows were landed',
        'Older contents of revised responses, of all rows delivered.'
    ),
    (
        'M9', 'mean_ease_0_100', 'all', 'week', 'points 0 to 100', 'no answers',
        'Mean ease of the week that begins on the day, by process and journey stage; Student t with 1.5 added answers.'
    ),
    (
        'M10a', 'fix_effort_change_0_100', 'all', 'fix', 'points 0 to 100', 'no fix is registered',
        'Change of effort after a fix, below 0: less, against comparison categories (difference in differences).'
    ),
    (
        'M11', 'followed_up_share', 'all', 'week', 'share', 'no answers',
        'Difficult responses of the week that begins on the day with a follow-up, of those whose time for a follow-up '
        || 'is over; Wilson.'
    ),
    (
        'M10b', 'fix_tickets_change_share', 'all', 'fix', 'share', 'no fix is registered',
        'Change of tickets per active customer after a fix, of the level before, against comparison categories.'
    )
),

captured as (
    select
        day,
        sum(least(landed, expected)) as counted,
        sum(expected) as n
    from mart.capture_daily
    where expected > 0
    group by day
),

called as (
    select
        day,
        sum(ok_at_once + ok_after_retry) as counted,
        sum(calls) as n
    from mart.requests_daily
    where calls > 0
    group by day
),

-- Same split as in mart.segment_variance, by day; summed in the order of the segments.
varied as (
    select
        segments.dimension,
        segments.period_start as day,
        any_value(total.n) as n,
        count(*) as segments,
        sum(
            greatest(
                segments.ease_square_sum_0_100 - segments.ease_sum_0_100 * segments.ease_sum_0_100 / segments.n, 0
            )
            order by segments.segment
        ) as within_squares,
        any_value(
            greatest(total.ease_square_sum_0_100 - total.ease_sum_0_100 * total.ease_sum_0_100 / total.n, 0)
        ) as total_squares,
        sum(
            segments.n * pow(segments.ease_sum_0_100 / segments.n - total.ease_sum_0_100 / total.n, 2)
            order by segments.segment
        ) as between_squares
    from mart.ces_segments as segments
    inner join mart.ces_segments as total
        on total.period = 'day' and total.dimension = 'all' and segments.period_start = total.period_start
    where segments.period = 'day' and segments.dimension in ('channel', 'persona')
    group by segments.dimension, segments.period_start
),

invited as (
    select
        day,
        sum(completes) as completes,
        sum(completes + partials) as answered,
        sum(n) as n,
        bool_and(is_final) as is_final
    from mart.response_funnel_daily
    where basis = 'invitations'
    group by day
),

viewed as (
    select
        day,
        sum(responses) as responses,
        sum(n) as n
    from mart.response_funnel_daily
    where basis = 'views'
    group by day
),

slowest as (
    select
        step,
        day,
        max(p50_minutes) as p50_minutes,
        coalesce(arg_max(n, (p50_minutes, n)) filter (p50_minutes is not null), max(n)) as n,
        max(p95_minutes) as p95_minutes,
        coalesce(arg_max(n, (p95_minutes, n)) filter (p95_minutes is not null), max(n)) as n_of_p95
    from mart.response_latency_daily
    where n > 0
    group by step, day
),

commented as (
    select
        day,
        count(*) as n,
        count(*) filter (
            regexp_matches(comment, '\p{L}\P{L}*\p{L}')
            and lower(trim(comment)) not in ('n/a', 'na', 'none', 'nil', 'no comment')
        ) as commented
    from (
        select
            responses.*,
            is_complete_response(flags, questions) as is_complete
        from core.responses
        left join reference.surveys using (survey_id)
    )
    where is_complete
    group by day
),

judged as (
    select
        day,
        sum(landed) as landed,
        sum(redelivered) as redelivered,
        sum(superseded) as superseded,
        sum(accepted) as accepted,
        sum(accepted + rejected) as judged,
        sum(rejected) as rejected,
        sum(suspect) as suspect,
        sum(duplicate) as duplicate
    from mart.quality_daily
    group by day
),

probed as (
    select
        probe_id,
        timezone(any_value(business_time_zone), min(probed_at))::date as day,
        bool_and(is_in_time) as is_readable,
        max(epoch_us(probed_at) - epoch_us(newest_response_at)) / 60e6 as age_minutes
    from audit.probes
    cross join reference.settings
    group by probe_id
),

-- Shares that count every row: shown for any n.
counts (metric, day, counted, n) as (
    select 'captured_share', day, counted, n from captured
    union all
    select 'api_calls_ok_share', day, counted, n from called
    union all
    select 'rejected_share', day, rejected, judged from judged
    union all
    select 'suspect_share', day, suspect, accepted from judged
    union all
    select 'duplicate_share', day, duplicate, judged from judged
    union all
    select 'redelivered_share', day, redelivered, landed from judged
    union all
    select 'superseded_share', day, superseded, landed from judged
    union all
    select 'readable_checks_share', day, count(*) filter (is_readable), count(*) from probed group by day
),

-- Shares of possible answers: with an interval, and suppressed below the minimum n.
samples (metric, day, counted, n, why_not) as (
    select
        'tickets_answered_share',
        day,
        answered_tickets,
        eligible_tickets,
        if(is_final, null, 'the tickets of the day may still be answered')
    from mart.link_coverage_daily
    union all
    select
        'responses_linked_share',
        day,
        linked_by_ticket_id + linked_by_external_id + linked_by_requester_window,
        responses,
        null
    from mart.link_coverage_daily
    union all
    select
        'response_rate_1', day, completes, n, if(is_final, null, 'the invitations of the day may still be answered')
    from invited
    union all
    select
        'response_rate_2', day, answered, n, if(is_final, null, 'the invitations of the day may still be answered')
    from invited
    union all
    select 'completed_views_share', day, responses, n, if(responses > n, 'more responses than views', null)
    from viewed
    union all
    select 'commented_share', day, commented, n, null from commented
),

evidence (metric, segment, day, value, value_low, value_high, n, counted, is_suppressed, why_not) as (
    select metric, 'all', day, counted / n, null, null, n, counted, false, null
    from counts
    where n > 0
    union all
    select
        metric,
        'all',
        day,
        counted / n,
        share_low(counted, n),
        share_high(counted, n),
        n,
        counted,
        n < minimum_n,
        why_not
    from samples
    cross join reference.settings
    where n > 0
    union all
    select
        'ease_variance_share',
        dimension,
        day,
        omega_squared(segments, n, between_squares, within_squares, total_squares),
        null,
        null,
        n,
        null,
        n < minimum_n,
        case
            when n < minimum_n then null
            when total_squares <= 0 then 'all answers are equal'
            when n <= segments then 'no segment has two answers'
        end
    from varied
    cross join reference.settings
    union all
    select
        'anomalies',
        'all',
        day,
        count(*) filter (starts_with(state, 'spike') or starts_with(state, 'drift')),
        null,
        null,
        count(*),
        null,
        false,
        null
    from mart.anomalies_daily
    where z is not null
    group by day
    union all
    select 'latency_p50_minutes', step, day, p50_minutes, null, null, n, null, p50_minutes is null, null
    from slowest
    union all
    select
        'latency_p95_minutes', step, day, p95_minutes, null, null, n_of_p95, null, p95_minutes is null, null
    from slowest
    where step = 'response_to_published'
    union all
    select
        'freshness_minutes',
        'all',
        day,
        round(max(age_minutes), 4),
        null,
        null,
        count(age_minutes),
        null,
        false,
        if(count(age_minutes) = 0, 'the file held no response, or could not be read', null)
    from probed
    group by day
    union all
    select
        'mean_ease_0_100',
        process || ': ' || journey_stage,
        week,
        mean_ease_0_100,
        ease_low_0_100,
        ease_high_0_100,
        n,
        null,
        is_suppressed and is_measured,
        if(is_measured, null, 'the stage had no answer in the week')
    from mart.journey_weekly
    union all
    select
        'followed_up_share',
        'all',
        period_start,
        followed_up / nullif(final_answers, 0),
        followed_up_share_low,
        followed_up_share_high,
        final_answers,
        followed_up,
        final_answers < minimum_n,
        case when why_null <> 'fewer than the minimum n' then why_null end
    from mart.follow_up_rates
    cross join reference.settings
    where period = 'week' and survey_id = 'all surveys'
    union all
    select
        'fix_effort_change_0_100',
        fix_id,
        live_on,
        change_effort_0_100,
        change_low_0_100,
        change_high_0_100,
        n_before + n_after,
        null,
        false,
        if(change_effort_0_100 is null, coalesce(why, 'not enough data'), null)
    from mart.fix_impact
    inner join reference.fixes using (fix_id)
    where method = 'difference in differences'
    union all
    select
        'fix_tickets_change_share',
        fix_id,
        live_on,
        change_share,
        change_low_share,
        change_high_share,
        n_before + n_after,
        null,
        false,
        if(change_share is null, coalesce(why, 'not enough data'), null)
    from mart.fix_ticket_impact
    inner join reference.fixes using (fix_id)
    where method = 'difference in differences'
),

days as (
    select distinct day
    from evidence
    inner join catalogue using (metric)
    where cadence = 'day'
),

grid as (
    select
        metric_id,
        metric,
        segment,
        day
    from catalogue
    cross join days
    where cadence = 'day'
    union all
    select
        metric_id,
        metric,
        evidence.segment,
        evidence.day
    from catalogue
    inner join evidence using (metric)
    where cadence <> 'day'
    union all
    select
        metric_id,
        metric,
        segment,
        (select max(day) from days) as day
    from catalogue
    anti join evidence using (metric)
    where cadence <> 'day' and exists (from days)
)

select
    grid.metric_id,
    grid.metric,
    grid.segment,
    grid.day,
    case
        when evidence.n is null then catalogue.missing
        when why_not is not null then why_not
        when is_suppressed then 'fewer than the minimum n'
    end as why_null,
    case when why_null is null then value end as value,
    case when why_null is null then value_low end as value_low,
    case when why_null is null then value_high end as value_high,
    evidence.n::bigint as n,
    evidence.counted::bigint as counted,
    case
        when why_null is null then 'measured'
        when why_not is null and is_suppressed then 'suppressed'
        else 'not measurable yet'
    end as state,
    catalogue.unit,
    catalogue.definition
from grid
left join evidence using (metric, segment, day)
inner join catalogue
    on grid.metric = catalogue.metric and (grid.segment = catalogue.segment or catalogue.cadence <> 'day')
order by metric_id, metric, segment, day;
