-- One row per week (and all days) of resolution x handling of resolved tickets.
-- Answers: is a machine's solution easier for customers than a person's, and do fewer customers come back? The rules
-- about `handling` in segments.yaml decide which is which; tickets that match no rule are `unknown`. Tickets and
-- answers count as in `mart.category_effort`. Machines and people handle different issues: compare within a category
-- before you call one better. A null figure has fewer rows than the minimum n. `is_truncated` marks the first weeks, which
-- hold only short tickets; tickets that may still be reopened are in no reopened share.
with tickets as not materialized (
    select
        ticket_key,
        handling,
        resolved_day,
        resolution_minutes,
        case when resolved_day <= last_final_day then reopens > 0 end as is_reopened,
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
        handling,
        count(*) as tickets,
        count(resolution_minutes) as timed_tickets,
        list_sort(list(resolution_minutes) filter (resolution_minutes is not null)) as ordered,
        list_aggregate(ordered, 'quantile_cont', 0.5) as median_minutes,
        median_low(ordered) as median_minutes_low,
        median_high(ordered) as median_minutes_high,
        count(is_reopened) as reopen_known,
        count(*) filter (is_reopened) as reopened,
        count(is_repeat_contact) as repeat_known,
        count(*) filter (is_repeat_contact) as repeat_contacts
    from periods
    group by period, period_start, handling
),

scored as (
    select
        handling,
        period,
        period_start,
        effort_band,
        scale_id,
        ease_0_100::decimal(9, 6) as ease
    from core.response_tickets
    inner join core.responses using (response_key)
    inner join periods using (ticket_key)
    where ease_0_100 is not null
),

answers_by_period as (
    select
        period,
        period_start,
        handling,
        count(*) as n,
        sum(ease)::double as ease_sum,
        sum(ease * ease)::double as ease_square_sum,
        count(*) filter (effort_band = 'easy') as easy_count,
        count(*) filter (effort_band = 'neutral') as neutral_count,
        count(*) filter (effort_band = 'difficult') as difficult_count,
        min(scale_id) <> max(scale_id) as is_mixed_scales
    from scored
    group by period, period_start, handling
)

select
    figures.* exclude (ordered),
    coalesce(period_start < first_complete_day, false) as is_truncated,
    if(period = 'all', newest_day, period_start + 6) <= last_final_day as is_final,
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
left join effort_figures('answers_by_period') as effort using (period, period_start, handling)
cross join mart.resolution_coverage
order by period, period_start, handling;
