-- Days of the period whose answers changed after they were first published.
select
    day,
    max(restated_at) as restated_at,
    arg_max(rows_before, restated_at) as rows_before,
    arg_max(rows_after, restated_at) as rows_after
from audit.restatements
where split_part(table_name, '.', 2) = 'responses' and day between $period_start and $period_end
group by day
order by day;
