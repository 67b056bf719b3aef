-- One row per category (and category x persona) of tickets opened in the newest days.
-- Answers: where is less effort worth most? Affected tickets x excess effort x value x confidence / cost, each input
-- in its own column. Excess effort compares with all answers of the same channel and persona (direct standardisation).
-- The query collects tickets and counts each answer; `ces_pipeline.statistics.priorities` computes the ranks. A null
-- figure: fewer answers than the minimum n. Only rows with excess effort are ranked. A null input is not known:
-- `missing_inputs` names it, and the row has no rank.
with span as (
    select
        max(created_day) as last_day,
        max(created_day) - (any_value(priority_window_days) - 1)::integer as first_day
    from mart.ticket_effort
    cross join reference.settings
    where not is_deleted
),

opened as (
    select
        ticket_key,
        ticket_effort.category,
        first_day,
        last_day,
        requester_key
    from mart.ticket_effort
    inner join core.tickets using (ticket_key)
    inner join span on created_day >= first_day
    where not ticket_effort.is_deleted
),

linked as (
    select
        ticket_key,
        responses.channel,
        responses.persona,
        recorded_at,
        response_key,
        scale_id,
        effort_0_100
    from core.response_tickets
    inner join core.responses using (response_key)
    semi join opened using (ticket_key)
),

of_ticket as (
    select
        ticket_key,
        arg_max(persona, (recorded_at, response_key)) as persona
    from linked
    where persona <> 'unassigned'
    group by ticket_key
),

of_requester as (
    select
        respondent_key as requester_key,
        arg_max(persona, (recorded_at, response_key)) as persona
    from core.responses
    where persona <> 'unassigned' and respondent_key in (select requester_key from opened)
    group by respondent_key
),

tickets as (
    select
        ticket_key,
        category,
        first_day,
        last_day,
        coalesce(of_ticket.persona, of_requester.persona, 'unassigned') as persona,
        effort_index_0_100::decimal(18, 6) as effort_index
    from opened
    left join of_ticket using (ticket_key)
    left join of_requester using (requester_key)
    left join (
        select
            ticket_key,
            effort_index_0_100
        from mart.effort_index
        where created_day >= (select first_day from span)
    ) as indices using (ticket_key)
),

segments as (
    select
        category,
        persona,
        any_value(first_day) as first_day,
        any_value(last_day) as last_day,
        count(*) as tickets,
        count(effort_index) as effort_index_n,
        sum(effort_index)::double as effort_index_sum
    from tickets
    group by category, persona
),

answers as (
    select
        category,
        tickets.persona,
        linked.channel,
        effort_0_100,
        min(scale_id) as first_scale_id,
        max(scale_id) as last_scale_id,
        count(*) as answers
    from linked
    inner join tickets using (ticket_key)
    where effort_0_100 is not null
    group by all
)

select
    category,
    persona,
    segments.first_day,
    last_day,
    tickets,
    effort_index_n,
    effort_index_sum,
    value_weight,
    category_costs.cost,
    quick_win_cost,
    minimum_n,
    answers.channel,
    effort_0_100,
    first_scale_id,
    last_scale_id,
    coalesce(answers, 0) as answers
from segments
left join answers using (category, persona)
left join reference.value_weights using (persona)
left join reference.category_costs using (category)
cross join reference.settings
order by category, persona, channel, effort_0_100;
