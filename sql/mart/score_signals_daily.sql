-- One row per source, survey, signal and day of answers that have the signal and a score.
-- Answers: how does ease go with other facts of the same answers? Sums for correlations: days can be added up.
with answers as (
    select
        responses.source_id,
        responses.survey_id,
        responses.day,
        responses.ease_0_100,
        responses.csat_0_100 as csat,
        responses.nps::double as nps,
        ln(1 + coalesce(length(responses.comment), 0)) as comment_length,
        tickets.csat_0_100 as ticket_csat,
        ln(1 + tickets.reopens) as reopens,
        ln(1 + tickets.replies) as replies,
        ln(1 + tickets.handoffs) as handoffs,
        ln(1 + tickets.resolution_minutes) as resolution_minutes
    from core.responses
    left join core.response_tickets on responses.response_key = response_tickets.response_key
    left join core.tickets on response_tickets.ticket_key = tickets.ticket_key
    where responses.ease_0_100 is not null
),

signals as (
    unpivot answers
    on csat, nps, comment_length, ticket_csat, reopens, replies, handoffs, resolution_minutes
    into name signal value other
),

-- Sums of decimals are exact, so the order of the rows never changes a figure.
exact as (
    select
        source_id,
        survey_id,
        signal,
        day,
        ease_0_100::decimal(9, 6) as ease,
        other::decimal(9, 6) as other
    from signals
)

select
    source_id,
    survey_id,
    signal,
    day,
    count(*) as n,
    sum(ease)::double as ease_sum_0_100,
    sum(ease * ease)::double as ease_square_sum_0_100,
    sum(other)::double as signal_sum,
    sum(other * other)::double as signal_square_sum,
    sum(ease * other)::double as product_sum
from exact
group by source_id, survey_id, signal, day
order by source_id, survey_id, signal, day;
