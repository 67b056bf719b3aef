-- Which channel is hardest? Mean ease and share of difficult answers, hardest first, channels with enough answers.
select
    segment as channel,
    n,
    round(mean_ease_0_100, 1) as mean_ease_0_100,
    round(ease_low_0_100, 1) as ease_low_0_100,
    round(ease_high_0_100, 1) as ease_high_0_100,
    round(difficult_share, 3) as difficult_share,
    round(difficult_share_low, 3) as difficult_share_low,
    round(difficult_share_high, 3) as difficult_share_high
from mart.ces_segments
where period = 'all' and dimension = 'channel' and not is_suppressed
order by mean_ease_0_100, channel;
