-- Whose journey was hardest lately? Sum of the points of effort, older ones with less weight; the twenty hardest.
select
    person_key,
    process,
    touches,
    missing_touches,
    responses,
    round(decayed_effort, 1) as decayed_effort_points,
    worst_stage
from mart.customer_journeys
where decayed_effort is not null
order by decayed_effort desc, person_key, process
limit 20;
