-- How well the programme itself works: the newest value of each metric, or the reason for none.
select
    metric_id,
    metric,
    segment,
    day,
    value,
    value_low,
    value_high,
    unit,
    n,
    state,
    why_null,
    definition
from mart.program_metrics
where segment = 'all' or state = 'measured'
qualify row_number() over (partition by metric, segment order by state = 'measured' desc, day desc) = 1
order by regexp_extract(metric_id, '\d+')::integer, metric_id, metric, segment;
