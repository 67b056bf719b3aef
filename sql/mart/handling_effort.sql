-- One row per week (and all days) of resolution x handling of resolved tickets.
-- Answers: is what a machine settles easier for customers than what people do, and does it come back less often? What counts
-- as which is said by the rules about `handling` in segments.yaml; `unknown` are tickets that no rule matches, all of them
-- where there is none. Tickets and answers count as in `mart.category_effort`. Not the same issues go to both: compare
-- within a category before calling one better. A null figure rests on fewer rows than the minimum n.
with tickets as not materialized (
    select
        ticket_key,
        handling,
        date_trunc('week', resolved_day)::date as week,
        (select min(resolved_day) from mart.ticket_effort where not is_deleted) as first_day,
        resolution_minutes,
        reopens > 0 as is_reopened,
        is_repeat_contact
    from mart.ticket_effort
    where not is_deleted and resolved_day is not null
),

ticket_figures as (
    select
        if(grouping(week) = 0, 'week', 'all') as period,
        coalesce(week, min(first_day)) as period_start,
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
    from tickets
    group by grouping sets ((week, handling), (handling))
),

scored as (
    select
        handling,
        week,
        first_day,
        effort_band,
        ease_0_100::decimal(9, 6) as ease
    from core.response_tickets
    inner join core.responses using (response_key)
    inner join tickets using (ticket_key)
    where ease_0_100 is not null
),

answer_figures as (
    select
        if(grouping(week) = 0, 'week', 'all') as period,
        coalesce(week, min(first_day)) as period_start,
        handling,
        count(*) as n,
        sum(ease)::double as ease_sum,
        sum(ease * ease)::double as ease_square_sum,
        count(*) filter (effort_band = 'difficult') as difficult_count
    from scored
    group by grouping sets ((week, handling), (handling))
),

moments as (
    select
        ticket_figures.* exclude (ordered),
        coalesce(n, 0) as n,
        coalesce(difficult_count, 0) as difficult_count,
        minimum_n,
        ease_sum / n as mean_ease,
        mean_half_width(n, sample_sd(n, ease_sum, ease_square_sum)) as half_width
    from ticket_figures
    left join answer_figures using (period, period_start, handling)
    cross join reference.settings
)

select
    period,
    period_start,
    handling,
    tickets,
    timed_tickets,
    shown(timed_tickets < minimum_n, median_minutes) as median_resolution_minutes,
    shown(timed_tickets < minimum_n, median_minutes_low) as median_resolution_minutes_low,
    shown(timed_tickets < minimum_n, median_minutes_high) as median_resolution_minutes_high,
    reopen_known,
    shown(reopen_known < minimum_n, reopened / reopen_known) as reopened_share,
    shown(reopen_known < minimum_n, share_low(reopened, reopen_known)) as reopened_share_low,
    shown(reopen_known < minimum_n, share_high(reopened, reopen_known)) as reopened_share_high,
    repeat_known,
    shown(repeat_known < minimum_n, repeat_contacts / repeat_known) as repeat_contact_share,
    shown(repeat_known < minimum_n, share_low(repeat_contacts, repeat_known)) as repeat_contact_share_low,
    shown(repeat_known < minimum_n, share_high(repeat_contacts, repeat_known)) as repeat_contact_share_high,
    n,
    shown(n < minimum_n, 100 - mean_ease) as mean_effort_0_100,
    shown(n < minimum_n, mean_ease) as mean_ease_0_100,
    shown(n < minimum_n, ease_low(mean_ease, half_width)) as ease_low_0_100,
    shown(n < minimum_n, ease_high(mean_ease, half_width)) as ease_high_0_100,
    difficult_count,
    shown(n < minimum_n, difficult_count / n) as difficult_share,
    shown(n < minimum_n, share_low(difficult_count, n)) as difficult_share_low,
    shown(n < minimum_n, share_high(difficult_count, n)) as difficult_share_high,
    n < minimum_n as is_effort_suppressed
from moments
order by period, period_start, handling;
