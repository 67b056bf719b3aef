-- One row per outcome that is often claimed for such a programme.
-- Answers: compared with the first weeks of the data, is there less effort, do fewer customers leave, are there fewer
-- tickets, are they solved faster, and by how much? The claims are those of others; this table promises none of them.
-- The query collects the first and the newest weeks, at a constant mix; `ces_pipeline.statistics.outcomes` compares
-- them. A comparison over time has no control group: it shows that something changed, not why. A null figure: `not
-- measurable yet`; `why` names what is missing. Resolution compares tickets by the day on which they were opened, with
-- those that are still open as open so far. Retention begins where the data can show who left: at the first delivery of
-- accounts, or earlier if that delivery names accounts that had already ended.
with delivered_accounts as (
    select min(timezone(business_time_zone, received_at)::date) as first_day
    from audit.deliveries
    cross join reference.settings
    where kind = 'accounts'
),

-- left_on: the first day on which no version of the person's account is valid any more; null: it still is.
held_accounts as (
    select
        person_key,
        min(timezone(business_time_zone, valid_from)::date) as began_on,
        case when count(until_day) = count(*) then max(until_day) end as left_on
    from core.accounts
    cross join reference.settings
    group by person_key
),

spans as (
    select
        'less effort' as outcome,
        min(day) as first_day,
        max(day) as last_day
    from mart.ces_daily
    union all
    select
        'fewer tickets' as outcome,
        min(day) as first_day,
        max(day) as last_day
    from mart.category_daily
    where tickets > 0
    union all
    select
        'faster resolution' as outcome,
        min(first_resolved_day) as first_day,
        max(newest_day) as last_day
    from mart.resolution_coverage
    where p95_days_to_resolve is not null
    union all
    select
        'better retention' as outcome,
        greatest(min(began_on), least(
            (select first_day from delivered_accounts),
            case
                when min(left_on) is not null then greatest(min(left_on) - 1, (select min(day) from mart.ces_daily))
            end
        )) as first_day,
        greatest(max(began_on), max(left_on), (select max(day) from mart.ces_daily)) as last_day
    from held_accounts
),

windows as (
    select
        outcome,
        spans.first_day,
        spans.last_day,
        (outcome_window_days // 7)::integer as weeks,
        coalesce(spans.last_day - spans.first_day + 1, 0) as days_covered,
        days_covered >= 14 * weeks as is_covered
    from spans
    cross join reference.settings
),

weeks as (
    select
        outcome,
        number >= 0 as is_after,
        number as week_number,
        case
            when number >= 0 then last_day + 1 + (7 * (number - weeks))::integer
            else first_day + (7 * (number + weeks))::integer
        end as week_first_day,
        week_first_day + 6 as week_last_day
    from (select windows.*, unnest(range(-weeks, weeks)) as number from windows where is_covered)
),

-- A survey whose wording changed cannot be compared with its own past.
effort as (
    select
        weeks.outcome,
        is_after,
        week_number,
        survey_id as stratum,
        channel as other_stratum,
        sum(n)::bigint as n,
        (100 * sum(n) - sum(ease_sum_0_100::decimal(18, 6)))::double as total
    from weeks
    inner join mart.ces_daily on day between week_first_day and week_last_day
    anti join (
        select survey_id
        from reference.wording_changes
        inner join windows on outcome = 'less effort' and wording_changes.first_day > windows.first_day
    ) as changed using (survey_id)
    where outcome = 'less effort'
    group by all
),

tickets as (
    select
        weeks.outcome,
        is_after,
        week_number,
        'all tickets' as stratum,
        'all tickets' as other_stratum,
        sum(tickets)::bigint as n,
        any_value(active_customers)::double as total
    from weeks
    inner join mart.category_daily on category_daily.day between week_first_day and week_last_day
    left join mart.active_customers_daily on active_customers_daily.day = week_last_day and active_customers > 0
    where outcome = 'fewer tickets'
    group by all
),

-- A source's data end with its newest opening or solve: a ticket that is open then took at least until then.
source_ends as (
    select
        source_id,
        max(epoch_us(created_at) + greatest(coalesce(resolution_minutes, 0), 0) * 6e7) as end_us
    from mart.ticket_effort
    where not is_deleted and created_at is not null
    group by source_id
),

-- Times within half a per cent of each other count as equal, to keep the rows few.
opened as (
    select
        weeks.is_after,
        week_number,
        category,
        priority,
        resolved_day is not null as is_resolved,
        round(200 * ln(1 + coalesce(resolution_minutes, (end_us - epoch_us(created_at)) / 6e7)))::integer as step,
        count(*) as n
    from mart.ticket_effort
    inner join source_ends using (source_id)
    inner join (
        select
            weeks.*,
            unnest(generate_series(week_first_day, week_last_day, interval 1 day))::date as created_day
        from weeks
        where outcome = 'faster resolution'
    ) as weeks using (created_day)
    where not is_deleted and created_at is not null and (resolved_day is null or resolution_minutes >= 0)
    group by all
),

-- Both windows get the mix of categories and priorities of the two together; of what only one has, nothing is compared.
strata as (
    select
        category,
        priority,
        sum(n) as stratum_n,
        sum(n) filter (is_after) as after_n,
        sum(n) filter (not is_after) as before_n
    from opened
    group by category, priority
    having before_n > 0 and after_n > 0
),

weighted_strata as (
    select
        category,
        priority,
        unnest([false, true]) as is_after,
        unnest([
            stratum_n / sum(stratum_n) over () * sum(before_n) over () / before_n,
            stratum_n / sum(stratum_n) over () * sum(after_n) over () / after_n
        ])::decimal(18, 9) as weight
    from strata
),

resolution as (
    select
        'faster resolution' as outcome,
        is_after,
        week_number,
        is_resolved,
        step / 200 as log_minutes,
        sum(n)::bigint as n,
        sum(n * weight)::double as total
    from opened
    inner join weighted_strata using (category, priority, is_after)
    group by all
),

-- Accounts valid on the first day of a window: are they still valid on its last day?
retention_windows as (
    select
        unnest([false, true]) as is_after,
        unnest([first_day, last_day + 1 - 7 * weeks]) as from_day,
        unnest([first_day + 7 * weeks - 1, last_day]) as to_day
    from windows
    where outcome = 'better retention' and is_covered
),

held as (
    select
        person_key,
        is_after,
        bool_or(
            began <= retention_windows.from_day and coalesce(until_day > retention_windows.from_day, true)
        ) as is_held,
        bool_or(began <= to_day and coalesce(until_day > to_day, true)) as is_kept
    from (
        select
            person_key,
            until_day,
            timezone(business_time_zone, valid_from)::date as began
        from core.accounts
        cross join reference.settings
    )
    cross join retention_windows
    group by person_key, is_after
),

retention as (
    select
        'better retention' as outcome,
        is_after,
        case when is_after then 0 else -1 end as week_number,
        'all accounts' as stratum,
        'all accounts' as other_stratum,
        count(*) as n,
        count(*) filter (is_kept)::double as total
    from held
    where is_held
    group by is_after
),

figures as (
    from effort
    union all by name
    from tickets
    union all by name
    from resolution
    union all by name
    from retention
)

select
    windows.outcome,
    windows.first_day,
    windows.last_day,
    days_covered,
    7 * weeks as window_days,
    is_covered,
    minimum_n,
    is_after,
    week_number,
    stratum,
    other_stratum,
    is_resolved,
    log_minutes,
    n,
    total
from windows
cross join reference.settings
left join figures using (outcome)
order by outcome, week_number, stratum, other_stratum, is_resolved, log_minutes;
