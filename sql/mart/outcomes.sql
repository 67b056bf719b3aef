-- One row per outcome that is often claimed for such a programme.
-- Answers: compared with the first weeks of the data, is there less effort, do fewer customers leave, are there fewer
-- tickets, are they solved faster, and by how much? The claims are those of others; this table promises none of them.
-- The query collects the first and the newest weeks, at a constant mix; `ces_pipeline.statistics.outcomes` compares
-- them. A comparison over time has no control group: it shows that something changed, not why. A null figure: `not
-- measurable yet`; `why` names what is missing.
with spans as (
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
        min(resolved_day) as first_day,
        max(resolved_day) as last_day
    from mart.ticket_effort
    where not is_deleted and resolution_minutes is not null
    union all
    select
        'better retention' as outcome,
        min(timezone(business_time_zone, valid_from)::date) as first_day,
        greatest(
            max(greatest(timezone(business_time_zone, valid_from)::date, until_day)),
            (select max(day) from mart.ces_daily)
        ) as last_day
    from core.accounts
    cross join reference.settings
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

resolved_daily as (
    select
        resolved_day,
        category,
        priority,
        count(*) as n,
        sum(ln(1 + resolution_minutes)::decimal(18, 9)) as total
    from mart.ticket_effort
    where not is_deleted and resolved_day is not null and resolution_minutes >= 0
    group by all
),

resolution as (
    select
        weeks.outcome,
        is_after,
        week_number,
        category as stratum,
        priority as other_stratum,
        sum(n)::bigint as n,
        sum(total)::double as total
    from weeks
    inner join resolved_daily on resolved_day between week_first_day and week_last_day
    where outcome = 'faster resolution'
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
    n,
    total
from windows
cross join reference.settings
left join figures using (outcome)
order by outcome, week_number, stratum, other_stratum;
