-- One row per ticket that is not deleted: the effort that its history shows, with or without an answer.
-- Answers: which customers probably had high effort but did not answer? 0 none to 100 most, from what the ticket
-- system observed. Each component is 0 to 1 and never falls when its input rises; null: the system does not report it.
-- The weight of missing components goes to the others: `weight_used_share` is the weight of the known ones. It is not
-- a CES and is never combined with one; `mart.effort_drivers` shows how well it agrees with the answers. The rows have
-- no order.
with tickets as not materialized (
    select
        ticket_key,
        category,
        created_day,
        resolved_day,
        linked_scores,
        reopens,
        handoffs,
        replies,
        channel_switches,
        -- Times within one percent of each other share a rank: to count a few hundred such steps needs no sort.
        floor(100 * ln(1 + resolution_minutes))::integer as resolution_step,
        floor(100 * ln(1 + first_reply_minutes))::integer as first_reply_step
    from mart.ticket_effort
    where not is_deleted
),

resolution_places as (
    select
        category,
        resolution_step,
        sum(count(*)) over (partition by category order by resolution_step) - count(*) as faster,
        sum(count(*)) over (partition by category) as n_resolved
    from tickets
    where resolution_step is not null
    group by category, resolution_step
),

first_reply_places as (
    select
        category,
        first_reply_step,
        sum(count(*)) over (partition by category order by first_reply_step) - count(*) as faster,
        sum(count(*)) over (partition by category) as n_replied
    from tickets
    where first_reply_step is not null
    group by category, first_reply_step
),

components as (
    select
        ticket_key,
        category,
        created_day,
        resolved_day,
        linked_scores,
        -- A rank among few tickets has no meaning. (`least` and `greatest` ignore nulls, so nulls are checked first.)
        case
            when n_resolved >= greatest(minimum_n, 2) then resolution_places.faster / (n_resolved - 1)
        end as resolution_component,
        case
            when n_replied >= greatest(minimum_n, 2) then first_reply_places.faster / (n_replied - 1)
        end as first_reply_component,
        case when replies is not null then least(replies / full_replies, 1) end as replies_component,
        case when handoffs is not null then least(handoffs / full_handoffs, 1) end as handoffs_component,
        case when reopens is not null then least(reopens / full_reopens, 1) end as reopens_component,
        case
            when channel_switches is not null then least(channel_switches / full_channel_switches, 1)
        end as channel_switches_component,
        effort_index_weights.*
    from tickets
    left join resolution_places using (category, resolution_step)
    left join first_reply_places using (category, first_reply_step)
    cross join reference.effort_index_weights
    cross join reference.settings
),

weighed as (
    select
        components.*,
        coalesce(resolution_component * weight_resolution, 0)
        + coalesce(first_reply_component * weight_first_reply, 0)
        + coalesce(replies_component * weight_replies, 0)
        + coalesce(handoffs_component * weight_handoffs, 0)
        + coalesce(reopens_component * weight_reopens, 0)
        + coalesce(channel_switches_component * weight_channel_switches, 0) as weighted_sum,
        (resolution_component is not null)::integer * weight_resolution
        + (first_reply_component is not null)::integer * weight_first_reply
        + (replies_component is not null)::integer * weight_replies
        + (handoffs_component is not null)::integer * weight_handoffs
        + (reopens_component is not null)::integer * weight_reopens
        + (channel_switches_component is not null)::integer * weight_channel_switches as weight_used,
        weight_resolution
        + weight_first_reply
        + weight_replies
        + weight_handoffs
        + weight_reopens
        + weight_channel_switches as weight_all
    from components
)

select
    ticket_key,
    category,
    created_day,
    resolved_day,
    linked_scores,
    resolution_component,
    first_reply_component,
    replies_component,
    handoffs_component,
    reopens_component,
    channel_switches_component,
    100 * weighted_sum / nullif(weight_used, 0) as effort_index_0_100,
    weight_used / weight_all as weight_used_share,
    weights_version
from weighed;
