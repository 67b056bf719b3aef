-- Within each survey, whose answers are harder: by every dimension with at least two segments.
select
    survey_id,
    dimension,
    segment,
    span_start,
    span_end,
    n,
    is_suppressed,
    is_mixed_scales,
    is_mixed_wordings,
    mean_ease_0_100,
    ease_low_0_100,
    ease_high_0_100,
    difficult_share,
    difficult_share_low,
    difficult_share_high
from mart.touchpoint_segments
where
    span = case $period when 'week' then '4 weeks' else $period end
    and span_end = $period_end
    and dimension <> 'all'
qualify count(*) over (partition by survey_id, dimension) > 1
order by survey_id, dimension, n desc, segment;
