-- One row per ticket: its latest state, its times, its handoffs and the effort of its answers.
-- Answers: which tickets were hard work? Minutes are calendar minutes, and next to them minutes within business hours
-- (`business_hours` in settings.yaml, in the business zone). Null: it has not happened, or the system does not report
-- it; never zero. The rows have no order, because to sort millions of wide rows by a hash costs more than to compute
-- them. For the same reason texts are grouped by a 64-bit hash.
with asked as (
    select
        bool_or(attribute = 'source_id') as asks_source_id,
        bool_or(attribute = 'status') as asks_status,
        bool_or(attribute = 'priority') as asks_priority,
        bool_or(attribute = 'category') as asks_category,
        bool_or(attribute = 'channel') as asks_channel,
        bool_or(attribute = 'product') as asks_product,
        bool_or(attribute = 'group_name') as asks_group_name,
        bool_or(attribute = 'replies') as asks_replies,
        bool_or(attribute = 'handoffs') as asks_handoffs,
        bool_or(attribute = 'reopens') as asks_reopens
    from reference.handling_rules
),

tickets as not materialized (
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
        -- Some systems report only the duration until the first reply.
        coalesce(epoch_us(first_reply_at), created_us + (first_reply_minutes * 6e7)::bigint) as first_reply_us,
        epoch_us(resolved_at) as resolved_us,
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
        ) as is_survey_eligible,
        -- The attributes that handling rules use: tickets with the same attributes have the same handling.
        concat_ws(
            chr(31),
            case when asks_source_id then 'source_id=' || lower(source_id) end,
            case when asks_status then 'status=' || lower(status) end,
            case when asks_priority then 'priority=' || lower(coalesce(priority, 'unknown')) end,
            case when asks_category then 'category=' || lower(coalesce(category, 'unknown')) end,
            case when asks_channel then 'channel=' || lower(channel) end,
            case when asks_product then 'product=' || lower(product) end,
            case when asks_group_name then 'group_name=' || lower(coalesce(group_name, 'unknown')) end,
            case when asks_replies then 'replies=' || replies end,
            case when asks_handoffs then 'handoffs=' || handoffs end,
            case when asks_reopens then 'reopens=' || reopens end
        ) as attributes_asked
    from core.tickets
    cross join asked
),

rules as (
    select
        position,
        any_value(handling) as handling,
        count(distinct attribute) as conditions
    from reference.handling_rules
    group by position
),

matching_rules as (
    select
        attributes_asked,
        position
    from (
        select
            attributes_asked,
            unnest(string_split(attributes_asked, chr(31))) as attribute_asked
        from (select distinct attributes_asked from tickets)
    )
    inner join reference.handling_rules on attribute_asked = attribute || '=' || value
    inner join rules using (position)
    group by attributes_asked, position
    having count(*) = any_value(conditions)
),

handled as (
    select
        attributes_asked,
        arg_min(handling, position) as handling
    from matching_rules
    inner join rules using (position)
    group by attributes_asked
),

-- In every zone, clock and calendar change on a quarter of an hour: the business minutes of each quarter give the number
-- of business minutes before any time. Differences of these integers are exact, whatever the first quarter is.
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
    inner join core.responses using (response_key)
    where ticket_key is not null
    group by ticket_key
),

-- A single snapshot of a ticket shows one channel, whatever happened before.
histories as (
    select
        any_value(ticket_key) as ticket_key,
        min(channel) <> max(channel) as has_several
    from core.ticket_versions
    where channel <> 'unknown'
    group by hash(ticket_key)
    having count(*) > 1
),

several_channels as (
    select
        ticket_key,
        count(distinct channel) - 1 as channel_switches
    from core.ticket_versions
    semi join (from histories where has_several) using (ticket_key)
    where channel <> 'unknown'
    group by ticket_key
),

channels as (
    select
        ticket_key,
        coalesce(channel_switches, 0) as channel_switches
    from histories
    left join several_channels using (ticket_key)
),

contacts as (
    select
        ticket_row,
        created_us - lag(created_us) over (
            partition by hash(requester_key, category) order by created_us, ticket_key
        ) as us_since_contact
    from tickets
    where requester_key is not null and created_us is not null and not is_deleted
)

select
    tickets.ticket_key,
    tickets.source_id,
    tickets.category,
    tickets.priority,
    tickets.channel,
    tickets.product,
    tickets.group_name,
    coalesce(handling, 'unknown') as handling,
    tickets.is_deleted,
    tickets.created_at,
    created.local_day as created_day,
    resolved.local_day as resolved_day,
    tickets.first_reply_minutes,
    case
        when first_reply_us >= created_us
            then
                (
                    (replied.minutes_before - created.minutes_before) * 60000000
                    + business_us_in_quarter(first_reply_us, replied.quarter, replied.opens, replied.closes)
                    - business_us_in_quarter(created_us, created.quarter, created.opens, created.closes)
                )::bigint / 6e7
    end as first_reply_business_minutes,
    tickets.resolution_minutes,
    case
        when resolved_us >= created_us
            then
                (
                    (resolved.minutes_before - created.minutes_before) * 60000000
                    + business_us_in_quarter(resolved_us, resolved.quarter, resolved.opens, resolved.closes)
                    - business_us_in_quarter(created_us, created.quarter, created.opens, created.closes)
                )::bigint / 6e7
    end as resolution_business_minutes,
    tickets.reopens,
    tickets.handoffs,
    tickets.replies,
    tickets.replies + coalesce(tickets.handoffs, 0) as touches,
    case when tickets.channel <> 'unknown' then channel_switches end as channel_switches,
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
left join handled using (attributes_asked);
