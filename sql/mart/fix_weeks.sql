-- One row per fix x category x week around it that the data cover completely.
-- Answers: what happened before and after a fix, in the categories that it changes and in those that it is compared
-- with? Weeks count from the day on which the fix went live. Weeks before count back from the day that triggered it,
-- if one is given, so that the time in which it was chosen counts as neither. Comparison categories are those of
-- fixes.yaml, else all that no fix changed in these weeks. Null customers: no account is known for that time.
with fixes as (
    select
        fix_id,
        live_on,
        coalesce(triggered_on, live_on) as reference_end,
        fix_window_weeks as weeks
    from reference.fixes
    cross join reference.settings
),

covered as (
    select
        min(day) as first_covered_day,
        max(day) as last_covered_day
    from mart.category_daily
),

weeks as (
    select
        fix_id,
        case when number >= 0 then 'after' when number >= -weeks then 'before' else 'earlier' end as period,
        number as week_number,
        case when number >= 0 then live_on else reference_end end + (7 * number)::integer as first_day,
        case when number >= 0 then live_on else reference_end end + (7 * number + 6)::integer as last_day,
        live_on
    from (select fixes.*, unnest(range(-2 * weeks, weeks)) as number from fixes)
    cross join covered
    where first_day >= first_covered_day and last_day <= last_covered_day
),

spans as (
    select
        fix_id,
        min(first_day) as first_day,
        max(last_day) as last_day
    from weeks
    group by fix_id
),

-- A category that another fix changed in these weeks cannot be compared, nor one that the fix itself changes: it may
-- go live after the last of these weeks.
disturbed as (
    select
        spans.fix_id,
        fix_categories.category
    from spans
    inner join reference.fixes on fixes.live_on between spans.first_day and spans.last_day
    inner join reference.fix_categories on fixes.fix_id = fix_categories.fix_id and not is_comparison
    union
    select
        fix_id,
        category
    from reference.fix_categories
    where not is_comparison
),

named as (
    select
        fix_id,
        bool_or(is_comparison) as has_comparison
    from reference.fix_categories
    group by fix_id
),

roles as (
    select
        fix_id,
        category,
        is_comparison
    from reference.fix_categories
    union all
    select
        fix_id,
        category,
        true as is_comparison
    from named
    cross join (select distinct category from mart.category_daily)
    anti join disturbed using (fix_id, category)
    where not has_comparison
),

sums as (
    select
        fix_id,
        week_number,
        category,
        sum(tickets)::bigint as tickets,
        sum(n)::bigint as n,
        sum(effort_sum_0_100::decimal(18, 6))::double as effort_sum
    from weeks
    inner join mart.category_daily on day between first_day and last_day
    group by all
)

select
    fix_id,
    category,
    is_comparison,
    period,
    week_number,
    first_day,
    last_day,
    round((first_day - live_on) / 7, 6) as weeks_from_live,
    coalesce(tickets, 0) as tickets,
    nullif(active_customers, 0) as active_customers,
    -- Weeks before the first known customer have the basis of the others.
    coalesce((select any_value(customers_basis) from mart.active_customers_daily), 'customers seen') as customers_basis,
    coalesce(n, 0) as n,
    coalesce(effort_sum, 0) as effort_sum_0_100
from weeks
inner join roles using (fix_id)
left join mart.active_customers_daily on active_customers_daily.day = last_day
left join sums using (fix_id, week_number, category)
order by fix_id, category, week_number;
