-- The weeks, months and quarters of the data, and whether each is complete for some survey.
select
    'week' as period,
    week as period_start,
    bool_or(is_whole_week) as is_whole
from mart.week_changes
group by week
union all
select
    'month' as period,
    month as period_start,
    bool_or(is_whole_month) as is_whole
from mart.month_changes
group by month
union all
select
    'quarter' as period,
    quarter as period_start,
    bool_or(is_whole_quarter) as is_whole
from mart.quarter_changes
group by quarter
order by period, period_start;
