-- Which channel is hardest? Mean ease with its 95 % interval and share of difficult answers, hardest first, without small n.
select
    segment as channel,
    n,
    round(mean_ease_0_100, 1) as mean_ease_0_100,
    round(ease_low_0_100, 1) as ease_low_0_100,
    round(ease_high_0_100, 1) as ease_high_0_100,
    round(difficult_share, 3) as difficult_share
from mart.ces_segments
where period = 'all' and dimension = 'channel' and not is_suppressed
order by mean_ease_0_100, channel;
