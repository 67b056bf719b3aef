-- How well does the programme itself work? The newest value of each metric, or the reason for none.
select
    metric_id,
    metric,
    segment,
    day,
    round(value, 3) as value,
    round(value_low, 3) as value_low,
    round(value_high, 3) as value_high,
    unit,
    n,
    state,
    why_null
from mart.program_metrics
qualify row_number() over (partition by metric, segment order by state = 'measured' desc, day desc) = 1
order by regexp_extract(metric_id, '\d+')::integer, metric_id, metric, segment;
