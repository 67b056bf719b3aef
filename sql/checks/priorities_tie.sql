-- blocking of mart.priorities: The contributions of the priorities do not add up to their total, or to all tickets and answers. Delete the published file and run `ces run`, which rebuilds it from the lake. If the check still fails, this is a bug: keep the lake folder and open an issue.
with counted as (
    select
        level,
        sum(tickets) as tickets,
        sum(n) as n,
        coalesce(sum(excess_points::decimal(28, 6)), 0) as excess_points,
        any_value(total_excess_points)::decimal(28, 6) as total_excess_points,
        min(total_excess_points) = max(total_excess_points) as is_one_total,
        coalesce(sum(excess_share), 1) as excess_share,
        min(first_day) as first_day
    from mart.priorities
    group by level
),

expected as (
    select
        level,
        count(*) as expected_tickets,
        sum(linked_scores) as expected_n
    from counted
    inner join mart.ticket_effort on created_day >= first_day and not is_deleted
    group by level
)

select
    level,
    tickets,
    expected_tickets,
    n,
    expected_n,
    excess_points,
    total_excess_points,
    excess_share
from counted
full join expected using (level)
where
    tickets is distinct from expected_tickets
    or n is distinct from expected_n
    or excess_points is distinct from total_excess_points
    or not is_one_total
    or abs(excess_share - 1) > 1e-9
order by level;
