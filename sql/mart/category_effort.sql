-- One row per week (and all days) of resolution x category of resolved tickets.
-- Answers: which issues are hard to get solved, how long do they take, and how often do customers come back? Tickets
-- count on the business-zone date of their resolution, with all answers linked to them. A null figure has fewer rows
-- than the minimum n, or the system does not report it; `unknown` are tickets without a category. `is_truncated` marks
-- the first weeks, which hold only short tickets; tickets that may still be reopened are in no reopened share.
with tickets as not materialized (
    select
        ticket_key,
        category,
        resolved_day,
        resolution_minutes,
        resolution_business_minutes,
        case when resolved_day <= last_final_day then reopens > 0 end as is_reopened,
        case when resolved_day <= last_final_day then is_one_touch end as is_one_touch,
        is_repeat_contact
    from mart.ticket_effort
    cross join mart.resolution_coverage
    where not is_deleted and resolved_day is not null
),

periods as not materialized (
    select
        tickets.*,
        'week' as period,
        date_trunc('week', resolved_day)::date as period_start
    from tickets
    union all by name
    select
        tickets.*,
        'all' as period,
        (select min(resolved_day) from tickets) as period_start
    from tickets
),

tickets_by_period as (
    select
        period,
        period_start,
        category,
        count(*) as tickets,
        count(resolution_minutes) as timed_tickets,
        list_sort(list(resolution_minutes) filter (resolution_minutes is not null)) as ordered,
        list_aggregate(ordered, 'quantile_cont', 0.5) as median_minutes,
        list_aggregate(ordered, 'quantile_cont', 0.9) as p90_minutes,
        median_low(ordered) as median_minutes_low,
        median_high(ordered) as median_minutes_high,
        count(is_reopened) as reopen_known,
        count(*) filter (is_reopened) as reopened,
        count(is_one_touch) as one_touch_known,
        count(*) filter (is_one_touch) as one_touch,
        count(is_repeat_contact) as repeat_known,
        count(*) filter (is_repeat_contact) as repeat_contacts
    from periods
    group by all
),

-- A separate step, to save memory: lists of years of tickets are large, and those above are freed first.
business_by_period as (
    select
        period,
        period_start,
        category,
        list_sort(list(resolution_business_minutes) filter (resolution_business_minutes is not null)) as ordered,
        list_aggregate(ordered, 'quantile_cont', 0.5) as median_business_minutes,
        median_low(ordered) as median_business_minutes_low,
        median_high(ordered) as median_business_minutes_high
    from periods
    group by period, period_start, category
),

scored as (
    select
        category,
        resolved_day,
        effort_band,
        scale_id,
        ease_0_100::decimal(9, 6) as ease
    from core.response_tickets
    inner join core.responses using (response_key)
    inner join tickets using (ticket_key)
    where ease_0_100 is not null
),

daily_answers as (
    select
        category,
        resolved_day,
        count(*) as n,
        sum(ease) as ease_sum,
        sum(ease * ease) as ease_square_sum,
        count(*) filter (effort_band = 'easy') as easy_count,
        count(*) filter (effort_band = 'neutral') as neutral_count,
        count(*) filter (effort_band = 'difficult') as difficult_count,
        min(scale_id) as first_scale_id,
        max(scale_id) as last_scale_id
    from scored
    group by all
),

answer_periods as (
    select
        daily_answers.*,
        'week' as period,
        date_trunc('week', resolved_day)::date as period_start
    from daily_answers
    union all by name
    select
        daily_answers.*,
        'all' as period,
        (select min(resolved_day) from tickets) as period_start
    from daily_answers
),

answers_by_period as (
    select
        period,
        period_start,
        category,
        sum(n)::bigint as n,
        sum(ease_sum)::double as ease_sum,
        sum(ease_square_sum)::double as ease_square_sum,
        sum(easy_count)::bigint as easy_count,
        sum(neutral_count)::bigint as neutral_count,
        sum(difficult_count)::bigint as difficult_count,
        min(first_scale_id) <> max(last_scale_id) as is_mixed_scales
    from answer_periods
    group by all
)

select
    figures.* exclude (ordered),
    coalesce(period_start < first_complete_day, false) as is_truncated,
    if(period = 'all', newest_day, period_start + 6) <= last_final_day as is_final,
    shown(timed_tickets < minimum_n, p90_minutes) as p90_resolution_minutes,
    shown(timed_tickets < minimum_n, median_business_minutes) as median_resolution_business_minutes,
    shown(timed_tickets < minimum_n, median_business_minutes_low) as median_resolution_business_minutes_low,
    shown(timed_tickets < minimum_n, median_business_minutes_high) as median_resolution_business_minutes_high,
    shown(one_touch_known < minimum_n, one_touch / one_touch_known) as one_touch_share,
    shown(one_touch_known < minimum_n, share_low(one_touch, one_touch_known)) as one_touch_share_low,
    shown(one_touch_known < minimum_n, share_high(one_touch, one_touch_known)) as one_touch_share_high,
    coalesce(effort.n, 0) as n,
    coalesce(effort.is_mixed_scales, false) as is_mixed_scales,
    effort.mean_effort_0_100,
    effort.mean_ease_0_100,
    effort.ease_low_0_100,
    effort.ease_high_0_100,
    coalesce(effort.difficult_count, 0) as difficult_count,
    effort.difficult_share,
    effort.difficult_share_low,
    effort.difficult_share_high,
    coalesce(effort.is_suppressed, true) as is_effort_suppressed
from ticket_figures('tickets_by_period') as figures
inner join business_by_period using (period, period_start, category)
left join effort_figures('answers_by_period') as effort using (period, period_start, category)
cross join mart.resolution_coverage
cross join reference.settings
order by period, period_start, category;
