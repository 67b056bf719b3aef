-- One row per category and persona, and per category: how much harder than comparable answers, and its rank.
-- column priority_key: Key of the row: level, persona (`/` in it is written `\/`) and category.
select
    level || '/' || replace(replace(coalesce(persona, ''), '\', '\\'), '/', '\/') || '/' || category as priority_key,
    level,
    category,
    persona,
    first_day,
    last_day,
    tickets,
    n,
    is_suppressed,
    mean_effort_0_100,
    excess_effort_0_100,
    excess_low_0_100,
    excess_high_0_100,
    excess_points,
    excess_share,
    excess_share_low,
    excess_share_high,
    priority_score,
    priority_rank,
    is_quick_win,
    missing_inputs
from mart.priorities
order by priority_key;
