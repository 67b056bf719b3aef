-- Which published days changed afterwards, and by how much? Newest change first.
select
    restated_at,
    table_name,
    day,
    rows_before,
    rows_after,
    round(ease_sum_before / nullif(rows_before, 0), 1) as ease_per_row_before,
    round(ease_sum_after / nullif(rows_after, 0), 1) as ease_per_row_after
from audit.restatements
order by restated_at desc, table_name, day;
