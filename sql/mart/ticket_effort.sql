-- One row per ticket: its latest state, how long it took, how often it changed hands, the effort of its answers.
-- Answers: which tickets were hard work? Minutes are of the calendar, and beside them of business hours (`business_hours`
-- in settings.yaml, in the business zone). Null: it has not happened, or the system does not say; never zero. The rows
-- have no order: to sort millions of wide rows by a hash would cost more than to make them. Likewise texts are grouped
-- by a number of 64 bits made of them.
with tickets as not materialized (
    select
        rowid as ticket_row,
        ticket_key,
        source_id,
        coalesce(category, 'unknown') as category,
        coalesce(priority, 'unknown') as priority,
        channel,
        product,
        coalesce(group_name, 'unknown') as group_name,
        requester_key,
        created_at,
        epoch_us(created_at) as created_us,
        -- Some systems tell only how long the first reply took.
        coalesce(epoch_us(first_reply_at), created_us + (first_reply_minutes * 6e7)::bigint) as first_reply_us,
        epoch_us(coalesce(solved_at, closed_at)) as resolved_us,
        first_reply_minutes,
        resolution_minutes,
        reopens,
        handoffs,
        replies,
        is_deleted,
        not is_deleted
        and resolved_us is not null
        and channel not in (select value from reference.survey_ineligible where attribute = 'channel')
        and product not in (select value from reference.survey_ineligible where attribute = 'product')
        and coalesce(category, 'unknown') not in (
            select value from reference.survey_ineligible where attribute = 'category'
        )
        and coalesce(priority, 'unknown') not in (
            select value from reference.survey_ineligible where attribute = 'priority'
        ) as is_survey_eligible
    from core.tickets
),

-- Every zone's clock and calendar changes on a quarter of an hour: what a quarter holds of business hours decides how
-- many business minutes lie before any instant.
quarters as (
    select
        unnest(
            range(
                min(least(created_us, first_reply_us, resolved_us)) // 900000000,
                max(greatest(created_us, first_reply_us, resolved_us)) // 900000000 + 1
            )
        ) as quarter
    from tickets
),

local_quarters as (
    select
        quarter,
        timezone(business_time_zone, make_timestamptz(quarter * 900000000)) as local_start,
        local_start::date as local_day,
        date_part('hour', local_start) * 60 + date_part('minute', local_start) as minute_of_day
    from quarters
    cross join reference.settings
),

open_quarters as (
    select
        quarter,
        local_day,
        opens_minute is not null and holidays.day is null as is_working_day,
        case when is_working_day then greatest(least(opens_minute - minute_of_day, 15), 0) else 0 end as opens,
        case when is_working_day then greatest(least(closes_minute - minute_of_day, 15), 0) else 0 end as closes
    from local_quarters
    left join reference.business_hours on business_hours.iso_weekday = isodow(local_day)
    left join reference.holidays on holidays.day = local_day
),

calendar as (
    select
        quarter,
        local_day,
        opens,
        closes,
        sum(closes - opens) over (
            order by quarter rows between unbounded preceding and current row
        ) - (closes - opens) as minutes_before
    from open_quarters
),

answers as (
    select
        ticket_key,
        count(*) as linked_responses,
        count(ease_0_100) as linked_scores,
        sum(ease_0_100::decimal(9, 6))::double / nullif(linked_scores, 0) as linked_ease_0_100
    from core.response_tickets
    join core.responses using (response_key)
    where ticket_key is not null
    group by ticket_key
),

several_channels as (
    select any_value(ticket_key) as ticket_key
    from core.ticket_versions
    where channel <> 'unknown'
    group by hash(ticket_key)
    having min(channel) <> max(channel)
),

channels as (
    select
        ticket_key,
        count(distinct channel) - 1 as channel_switches
    from core.ticket_versions
    semi join several_channels using (ticket_key)
    where channel <> 'unknown'
    group by ticket_key
),

contacts as (
    select
        ticket_row,
        created_us - lag(created_us) over (
            partition by hash(requester_key, category) order by created_us
        ) as us_since_contact
    from tickets
    where requester_key is not null and created_us is not null and not is_deleted
),

final as (
    select
        tickets.ticket_key,
        tickets.source_id,
        tickets.category,
        tickets.priority,
        tickets.channel,
        tickets.product,
        tickets.group_name,
        tickets.is_deleted,
        tickets.created_at,
        created.local_day as created_day,
        resolved.local_day as resolved_day,
        tickets.first_reply_minutes,
        case
            when first_reply_us >= created_us
                then replied.minutes_before
                    + greatest(least(first_reply_us / 6e7 - replied.quarter * 15, replied.closes) - replied.opens, 0)
                    - created.minutes_before
                    - greatest(least(created_us / 6e7 - created.quarter * 15, created.closes) - created.opens, 0)
        end as first_reply_business_minutes,
        tickets.resolution_minutes,
        case
            when resolved_us >= created_us
                then resolved.minutes_before
                    + greatest(least(resolved_us / 6e7 - resolved.quarter * 15, resolved.closes) - resolved.opens, 0)
                    - created.minutes_before
                    - greatest(least(created_us / 6e7 - created.quarter * 15, created.closes) - created.opens, 0)
        end as resolution_business_minutes,
        tickets.reopens,
        tickets.handoffs,
        tickets.replies,
        tickets.replies + coalesce(tickets.handoffs, 0) as touches,
        case when tickets.channel <> 'unknown' then coalesce(channel_switches, 0) end as channel_switches,
        case
            when resolved_us is not null and tickets.replies is not null
                then tickets.replies <= 1 and coalesce(tickets.reopens, 0) = 0
        end as is_one_touch,
        case
            when contacts.ticket_row is not null
                then coalesce(us_since_contact <= repeat_contact_days * 86400000000, false)
        end as is_repeat_contact,
        tickets.is_survey_eligible,
        coalesce(linked_responses, 0) as linked_responses,
        coalesce(linked_scores, 0) as linked_scores,
        100 - linked_ease_0_100 as linked_effort_0_100,
        linked_ease_0_100
    from tickets
    cross join reference.settings
    left join calendar as created on created.quarter = created_us // 900000000
    left join calendar as replied on replied.quarter = first_reply_us // 900000000
    left join calendar as resolved on resolved.quarter = resolved_us // 900000000
    left join answers using (ticket_key)
    left join channels using (ticket_key)
    left join contacts using (ticket_row)
)

select
    ticket_key,
    source_id,
    category,
    priority,
    channel,
    product,
    group_name,
    is_deleted,
    created_at,
    created_day,
    resolved_day,
    first_reply_minutes,
    first_reply_business_minutes,
    resolution_minutes,
    resolution_business_minutes,
    reopens,
    handoffs,
    replies,
    touches,
    channel_switches,
    is_one_touch,
    is_repeat_contact,
    is_survey_eligible,
    linked_responses,
    linked_scores,
    linked_effort_0_100,
    linked_ease_0_100
from final;
