-- For which customers tickets of a category are harder than comparable answers.
select
    category,
    persona,
    tickets,
    n,
    excess_effort_0_100,
    excess_low_0_100,
    excess_high_0_100,
    is_suppressed
from mart.priorities
where level <> 'category' and excess_low_0_100 > 0
order by excess_effort_0_100 desc, category, persona;
