-- How hard was it for customers who did not answer? Mean effort index of tickets with and without a score, with 95 % intervals.
-- No rows: no category has enough tickets with a known effort index.
select
    category,
    linked_scores > 0 as is_answered,
    count(*) as n,
    round(avg(effort_index_0_100), 1) as mean_index_0_100,
    round(avg(effort_index_0_100) - 1.96 * stddev_samp(effort_index_0_100) / sqrt(n), 1) as index_low_0_100,
    round(avg(effort_index_0_100) + 1.96 * stddev_samp(effort_index_0_100) / sqrt(n), 1) as index_high_0_100
from mart.effort_index
where effort_index_0_100 is not null
group by category, is_answered
having n >= (select minimum_n from reference.settings)
order by category, is_answered;
