-- One row per backend measure x category x lag in days.
-- Answers: does effort follow what the backend measures, and after how many days? An event with a value is a measure
-- of its type (a p95 latency, a count of errors). The measure of a day is the median of its values; the effort of a
-- day is the mean of its answers. The query collects both by day; `ces_pipeline.statistics.lags` correlates them
-- without weekdays, trend and the past of the measure, and judges the best lag of each measure and category, with
-- false-discovery control. It is an association, not a cause. A null figure: fewer days than the minimum n, or one side
-- never changes.
with measures as (
    select
        event_type as measure,
        coalesce(category, 'all tickets') as category,
        day,
        median(value) as measured
    from core.events
    where value is not null and survey_id is null
    group by all
),

spans as (
    select
        measure,
        category,
        min(day) as first_day,
        max(day) as last_day
    from measures
    group by measure, category
),

days as (
    select
        measure,
        category,
        unnest(generate_series(spans.first_day, last_day + most_lag_days::integer, interval 1 day))::date as day
    from spans
    cross join reference.settings
),

effort as (
    select
        category,
        day,
        sum(n)::bigint as n,
        sum(effort_sum_0_100::decimal(18, 6))::double as effort_sum
    from mart.category_daily
    where n > 0
    group by category, day
    union all by name
    select
        'all tickets' as category,
        day,
        sum(n)::bigint as n,
        sum(effort_sum_0_100::decimal(18, 6))::double as effort_sum
    from mart.category_daily
    where n > 0
    group by day
)

select
    measure,
    category,
    day,
    measured,
    effort_sum / n as effort,
    coalesce(n, 0) as n,
    most_lag_days,
    minimum_n
from days
cross join reference.settings
left join measures using (measure, category, day)
left join effort using (category, day)
order by measure, category, day;
