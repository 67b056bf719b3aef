-- Ease and difficult answers of each survey, and the change since the period before.
with periods as (
    select
        'week' as period,
        week as period_start,
        is_whole_week as is_whole,
        changes.*
    from mart.week_changes as changes
    union all by name
    select
        'month' as period,
        month as period_start,
        is_whole_month as is_whole,
        changes.*
    from mart.month_changes as changes
    union all by name
    select
        'quarter' as period,
        quarter as period_start,
        is_whole_quarter as is_whole,
        changes.*
    from mart.quarter_changes as changes
)

select
    survey_id,
    period_start,
    is_whole,
    is_mixed_scales,
    is_mixed_wordings,
    is_suppressed,
    n,
    n_suspect,
    mean_ease_0_100,
    ease_low_0_100,
    ease_high_0_100,
    difficult_share,
    difficult_share_low,
    difficult_share_high,
    easy_share,
    easy_share_low,
    easy_share_high,
    n_before,
    change_ease_0_100,
    change_low_0_100,
    change_high_0_100,
    verdict,
    why_null
from periods
where period = $period and period_start between $first_start and $period_start
order by survey_id, period_start;
