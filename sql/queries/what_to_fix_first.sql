-- What should be fixed first? Categories and personas that are harder than comparable ones by more than chance.
-- Ranked by priority where value weights and costs are registered (priorities.yaml), else by the excess effort of all
-- its tickets.
-- No rows: no category and persona is harder than comparable ones by more than chance.
select
    row_number() over (order by priority_score desc nulls last, excess_points desc, category, persona) as place,
    category,
    persona,
    tickets,
    n,
    round(excess_effort_0_100, 1) as excess_effort_0_100,
    round(excess_low_0_100, 1) as excess_low_0_100,
    round(excess_high_0_100, 1) as excess_high_0_100,
    round(excess_share, 3) as excess_share,
    value_weight,
    cost,
    round(priority_score, 1) as priority_score,
    is_quick_win,
    missing_inputs as why_no_score
from mart.priorities
where level = 'category and persona' and not is_suppressed and excess_low_0_100 > 0
order by place;
