-- One row per period (week, month, all days), dimension and segment: effort by channel, persona, product, owner and so on.
-- Dimension `all` has all answers. Do not add up dimensions: each holds every answer once.
-- column segment_key: Key of the row: period, its first day, dimension and segment.
select
    period || '/' || period_start::varchar || '/' || dimension || '/' || segment as segment_key,
    period,
    period_start,
    dimension,
    segment,
    n,
    is_suppressed,
    is_mixed_scales,
    mean_ease_0_100,
    ease_low_0_100,
    ease_high_0_100,
    mean_effort_0_100,
    easy_share,
    difficult_share,
    difficult_share_low,
    difficult_share_high,
    net_ease,
    net_ease_low,
    net_ease_high
from mart.ces_segments
where period in ('week', 'month', 'all')
order by segment_key;
