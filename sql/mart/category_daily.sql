-- One row per day x category x channel with a ticket opened or a scored, linked answer.
-- Answers: how many tickets of a category arrive in a day, and how hard were those that customers answered about on
-- it? It is the evidence for the effects of fixes, for backend measures and for outcomes. A ticket counts on its
-- opening day and its own channel, an answer on its own day and channel. A null figure has fewer answers than the
-- minimum n.
with opened as (
    select
        created_day as day,
        category,
        channel,
        count(*) as tickets
    from mart.ticket_effort
    where not is_deleted and created_day is not null
    group by all
),

scored as materialized (
    select
        responses.day,
        category,
        responses.channel,
        scale_id,
        effort_0_100::decimal(9, 6) as effort
    from core.response_tickets
    inner join core.responses using (response_key)
    inner join mart.ticket_effort using (ticket_key)
    -- In some sources, most answers name no delivered ticket: they are excluded before the joins.
    where response_tickets.ticket_key is not null and effort_0_100 is not null and not is_deleted
),

answers as (
    select
        day,
        category,
        channel,
        count(*) as n,
        sum(effort)::double as effort_sum,
        sum(effort * effort)::double as effort_square_sum,
        min(scale_id) <> max(scale_id) as is_mixed_scales
    from scored
    group by all
),

moments as (
    select
        day,
        category,
        channel,
        coalesce(tickets, 0) as tickets,
        coalesce(n, 0) as n,
        coalesce(is_mixed_scales, false) as is_mixed_scales,
        coalesce(effort_sum, 0) as effort_sum,
        coalesce(effort_square_sum, 0) as effort_square_sum,
        coalesce(n, 0) < minimum_n as is_suppressed,
        effort_sum / n as mean_effort
    from opened
    full join answers using (day, category, channel)
    cross join reference.settings
)

select
    day,
    category,
    channel,
    tickets,
    n,
    is_mixed_scales,
    shown(is_suppressed, mean_effort) as mean_effort_0_100,
    shown(is_suppressed, mean_low(n, effort_sum, effort_square_sum)) as effort_low_0_100,
    shown(is_suppressed, mean_high(n, effort_sum, effort_square_sum)) as effort_high_0_100,
    is_suppressed,
    effort_sum as effort_sum_0_100,
    effort_square_sum as effort_square_sum_0_100
from moments
order by day, category, channel;
