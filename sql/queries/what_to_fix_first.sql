-- What should be fixed first? Categories and personas by excess effort and its value, with the inputs of the rank.
select
    category,
    persona,
    tickets,
    n,
    round(excess_effort_0_100, 1) as excess_effort_0_100,
    round(excess_low_0_100, 1) as excess_low_0_100,
    round(excess_high_0_100, 1) as excess_high_0_100,
    value_weight,
    round(confidence, 2) as confidence,
    cost,
    round(priority_score, 1) as priority_score,
    is_quick_win,
    missing_inputs
from mart.priorities
where level = 'category and persona' and not is_suppressed
order by priority_score desc nulls last, excess_effort_0_100 desc, category, persona;
