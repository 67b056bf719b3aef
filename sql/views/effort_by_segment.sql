-- One row per month (and all days) and segment: effort by survey, channel, persona, product, owner and so on.
-- Dimension `all` includes all answers. Null figures: fewer answers than the minimum n.
select
    period,
    period_start,
    dimension,
    segment,
    n,
    mean_effort_0_100,
    mean_ease_0_100,
    ease_low_0_100,
    ease_high_0_100,
    easy_share,
    difficult_share,
    net_ease,
    net_ease_low,
    net_ease_high,
    is_suppressed
from mart.ces_segments
where period in ('month', 'all')
order by period, period_start, dimension, segment;
