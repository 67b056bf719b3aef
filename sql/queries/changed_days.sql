-- Which published days changed afterwards, and by how much? Days whose number of rows or mean changed, newest first.
-- No rows: no published figure has changed afterwards.
select
    restated_at,
    table_name,
    day,
    rows_before,
    rows_after,
    round(ease_sum_before / nullif(rows_before, 0), 1) as mean_ease_before_0_100,
    round(ease_sum_after / nullif(rows_after, 0), 1) as mean_ease_after_0_100
from audit.restatements
where rows_before <> rows_after or ease_sum_before is distinct from ease_sum_after
order by restated_at desc, table_name, day;
