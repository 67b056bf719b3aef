-- One row per period (week, all days) and issue category: tickets, times, reopens, and effort of the linked answers.
-- column category_key: Key of the row: period, its first day and category.
-- column is_suppressed: True if fewer answers than the minimum n are linked: the figures of effort are null.
select
    period || '/' || period_start::varchar || '/' || category as category_key,
    period,
    period_start,
    category,
    tickets,
    is_final,
    n,
    is_effort_suppressed as is_suppressed,
    is_mixed_scales,
    mean_ease_0_100,
    ease_low_0_100,
    ease_high_0_100,
    mean_effort_0_100,
    difficult_share,
    difficult_share_low,
    difficult_share_high,
    median_resolution_minutes,
    median_resolution_minutes_low,
    median_resolution_minutes_high,
    reopened_share,
    reopened_share_low,
    reopened_share_high,
    repeat_contact_share,
    repeat_contact_share_low,
    repeat_contact_share_high
from mart.category_effort
order by category_key;
