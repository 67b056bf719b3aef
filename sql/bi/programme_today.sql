-- One row per metric of the programme and segment: its newest measured value, or the reason for none.
-- column metric_key: Key of the row: metric and segment.
select
    metric || '/' || segment as metric_key,
    metric_id,
    metric,
    segment,
    day,
    value,
    value_low,
    value_high,
    n,
    unit,
    state,
    why_null,
    definition
from mart.program_metrics
qualify row_number() over (partition by metric, segment order by state = 'measured' desc, day desc) = 1
order by metric_key;
