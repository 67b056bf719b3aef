-- One row per watched figure and day (or week, where a day brings too little) that was judged, and its newest one.
-- Answers: what was unusual, how far from what the days before led to expect, and since when? The query collects the
-- figures by day; `ces_pipeline.statistics.anomalies` judges them. Days are judged once they are over: up to the day
-- before the newest delivery, and from the first of January two years before. The verdict on a day never changes by
-- itself: it rests on earlier days alone.
with ends as (
    select
        (select min(day) from mart.quality_daily) as first_day,
        -- An account has the day of its receipt, whatever happened then.
        (select max(day) from audit.delivery_days where kind <> 'accounts') as last_day,
        (
            select timezone(any_value(business_time_zone), max(received_at))::date from audit.deliveries
            cross join reference.settings
        ) as received_day
),

bounds as (
    select
        -- An export that came long after its last day may end in the middle of it.
        case
            when last_day >= received_day then received_day - 1
            when last_day = received_day - 1 then last_day
            else last_day - 1
        end as examined_to,
        greatest(first_day, make_date(year(examined_to) - 2, 1, 1)) as examined_from
    from ends
),

answers as (
    select
        period_start as day,
        dimension,
        segment,
        n,
        difficult_count as difficult,
        100 * n - ease_sum_0_100::decimal(18, 6) as effort_sum,
        10000 * n - 200 * ease_sum_0_100::decimal(18, 6) + ease_square_sum_0_100::decimal(24, 6) as effort_square_sum
    from mart.ces_segments
    where
        period = 'day'
        and dimension in ('all', 'survey', 'channel', 'persona', 'product', 'journey_stage', 'owner')
),

categories as (
    select
        day,
        category,
        sum(tickets) as tickets,
        sum(n) as n,
        sum(effort_sum_0_100::decimal(18, 6)) as effort_sum,
        sum(effort_square_sum_0_100::decimal(24, 6)) as effort_square_sum
    from mart.category_daily
    group by day, category
),

spoken as (
    select
        day,
        survey_id,
        count(*) as responses,
        count(comment) as commented,
        count(*) filter (duration_seconds > 0) as timed,
        sum(ln(duration_seconds)::decimal(12, 6)) filter (duration_seconds > 0) as log_seconds,
        sum(pow(ln(duration_seconds), 2)::decimal(12, 6)) filter (duration_seconds > 0) as log_seconds_squared
    from core.responses
    group by day, survey_id
),

-- From the answer to its receipt. What is a week old when it comes is history, and says nothing of the way.
arrivals as (
    select
        day,
        source_id,
        ln(greatest(epoch_us(received_at) - epoch_us(recorded_at), 60000000) / 60000000)::decimal(12, 6) as log_minutes
    from core.responses
    inner join (select source_id, delivery_id, received_at from audit.deliveries) using (source_id, delivery_id)
    where recorded_at > received_at - interval 7 days
),

marks as (
    select
        day,
        source_id,
        unnest(reasons) as reason
    from core.rejected_responses
    union all
    select
        day,
        source_id,
        unnest(flags) as reason
    from core.responses
),

marked as (
    select
        day,
        source_id,
        reason,
        count(*) as found
    from marks
    group by day, source_id, reason
),

-- With the days on which no row had the reason.
reasons as (
    select
        quality_daily.day,
        quality_daily.source_id,
        known.reason,
        accepted + rejected as judged,
        coalesce(found, 0) as found
    from mart.quality_daily
    inner join (select distinct source_id, reason from marked) as known using (source_id)
    left join marked
        on
            quality_daily.day = marked.day
            and known.source_id = marked.source_id
            and known.reason = marked.reason
),

figures as (
    select
        'count' as figure,
        'responses' as series_kind,
        dimension,
        segment,
        day,
        n,
        n as total
    from answers
    union all by name
    select
        'mean' as figure,
        'effort' as series_kind,
        dimension,
        segment,
        day,
        n,
        effort_sum as total,
        effort_square_sum as square_total
    from answers
    union all by name
    select
        'share' as figure,
        'difficult_share' as series_kind,
        dimension,
        segment,
        day,
        n,
        difficult as total
    from answers
    union all by name
    select
        'count' as figure,
        'tickets' as series_kind,
        'category' as dimension,
        category as segment,
        day,
        tickets as n,
        tickets as total
    from categories
    union all by name
    select
        'mean' as figure,
        'effort' as series_kind,
        'category' as dimension,
        category as segment,
        day,
        n,
        effort_sum as total,
        effort_square_sum as square_total
    from categories
    union all by name
    select
        'count' as figure,
        'landed_rows' as series_kind,
        'source' as dimension,
        source_id as segment,
        day,
        landed - redelivered as n,
        landed - redelivered as total
    from mart.quality_daily
    union all by name
    select
        'share' as figure,
        'rejected_share' as series_kind,
        'source' as dimension,
        source_id as segment,
        day,
        accepted + rejected as n,
        rejected as total
    from mart.quality_daily
    union all by name
    select
        'share' as figure,
        'reason_share' as series_kind,
        'source' as dimension,
        source_id || ': ' || reason as segment,
        day,
        judged as n,
        found as total
    from reasons
    union all by name
    select
        'share' as figure,
        'comment_share' as series_kind,
        'survey' as dimension,
        survey_id as segment,
        day,
        responses as n,
        commented as total
    from spoken
    union all by name
    select
        'mean' as figure,
        'duration_seconds' as series_kind,
        'survey' as dimension,
        survey_id as segment,
        day,
        timed as n,
        log_seconds as total,
        log_seconds_squared as square_total
    from spoken
    union all by name
    select
        'mean' as figure,
        'arrival_minutes' as series_kind,
        'source' as dimension,
        source_id as segment,
        day,
        count(*) as n,
        sum(log_minutes) as total,
        sum(pow(log_minutes, 2)::decimal(12, 6)) as square_total
    from arrivals
    group by day, source_id
    union all by name
    select
        'share' as figure,
        'known_share' as series_kind,
        'tag' as dimension,
        tag as segment,
        day,
        responses as n,
        known as total
    from mart.tag_coverage_daily
    union all by name
    select
        'share' as figure,
        'linked_share' as series_kind,
        'all' as dimension,
        'all' as segment,
        day,
        responses as n,
        linked_by_ticket_id + linked_by_external_id + linked_by_requester_window as total
    from mart.link_coverage_daily
    union all by name
    select
        'count' as figure,
        'invitations' as series_kind,
        'survey' as dimension,
        survey_id as segment,
        day,
        invited as n,
        invited as total
    from mart.response_funnel_daily
    union all by name
    select
        'share' as figure,
        'response_rate' as series_kind,
        'survey' as dimension,
        survey_id as segment,
        day,
        n,
        completes as total
    from mart.response_funnel_daily
    where is_final and basis = 'invitations'
    union all by name
    select
        'holiday' as figure,
        'holiday' as series_kind,
        'all' as dimension,
        'all' as segment,
        day,
        1 as n,
        1 as total
    from reference.holidays
)

select
    figure,
    series_kind,
    dimension,
    segment,
    day,
    n::double as n,
    total::double as total,
    square_total::double as square_total,
    examined_from,
    examined_to,
    minimum_n
from figures
cross join bounds
cross join reference.settings
where day between examined_from and examined_to and n > 0
order by figure, series_kind, dimension, segment, day;
