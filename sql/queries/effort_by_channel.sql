-- Which channel is hardest? Mean ease and share of difficult answers per channel, hardest first, without small n.
select
    channel,
    sum(n) as n,
    round(sum(ease_sum_0_100) / sum(n), 1) as mean_ease_0_100,
    round(sum(difficult_count) / sum(n), 3) as difficult_share
from mart.ces_daily
cross join reference.settings
group by channel
having sum(n) >= any_value(minimum_n)
order by mean_ease_0_100, channel;
