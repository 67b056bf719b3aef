-- How hard was it for those who did not answer? Mean effort index of tickets with and without a score, with 95 % intervals.
with tickets as (
    select
        category,
        linked_scores > 0 as is_answered,
        effort_index_0_100
    from mart.effort_index
    inner join mart.ticket_effort using (ticket_key, category)
    where effort_index_0_100 is not null
)

select
    category,
    is_answered,
    count(*) as n,
    round(avg(effort_index_0_100), 1) as mean_index_0_100,
    round(avg(effort_index_0_100) - 1.96 * stddev_samp(effort_index_0_100) / sqrt(n), 1) as index_low_0_100,
    round(avg(effort_index_0_100) + 1.96 * stddev_samp(effort_index_0_100) / sqrt(n), 1) as index_high_0_100
from tickets
group by category, is_answered
having n >= (select minimum_n from reference.settings)
order by category, is_answered;
