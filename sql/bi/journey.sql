-- One row per week, process and stage of the journey, also of stages that no survey asks about (`is_measured` false).
-- column journey_key: Key of the row: first day of the week, process (`/` in it is written `\/`) and stage.
select
    week::varchar || '/' || replace(replace(process, '\', '\\'), '/', '\/') || '/' || journey_stage as journey_key,
    week,
    process,
    journey_stage,
    is_measured,
    n,
    is_suppressed,
    is_mixed_scales,
    mean_ease_0_100,
    ease_low_0_100,
    ease_high_0_100,
    mean_effort_0_100
from mart.journey_weekly
order by journey_key;
