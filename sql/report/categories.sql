-- Which tickets are harder than comparable answers, in the newest 90 days of the publish or as many as the settings say.
select
    category,
    first_day,
    last_day,
    tickets,
    n,
    excess_effort_0_100,
    excess_low_0_100,
    excess_high_0_100,
    is_suppressed
from mart.priorities
where level = 'category'
order by excess_effort_0_100 desc nulls last, category;
