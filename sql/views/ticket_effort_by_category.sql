-- One row per issue category: effort of the linked answers with resolution time, reopened and repeat share, all days.
-- Null figures: fewer answers, or tickets with the value, than the minimum n.
select
    category,
    tickets,
    n,
    mean_effort_0_100,
    mean_ease_0_100,
    ease_low_0_100,
    ease_high_0_100,
    difficult_share,
    median_resolution_minutes,
    p90_resolution_minutes,
    reopened_share,
    one_touch_share,
    repeat_contact_share
from mart.category_effort
where period = 'all'
order by category;
