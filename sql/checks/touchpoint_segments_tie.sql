-- blocking of mart.touchpoint_segments: The segments of a survey do not add up to its answers. Delete the published file and run `ces run`, which rebuilds it from the lake. If the check still fails, this is a bug: keep the lake folder and open an issue.
with split as (
    select
        survey_id,
        span,
        span_start,
        dimension,
        sum(n) as n
    from mart.touchpoint_segments
    group by all
),

totals as (
    select
        survey_id,
        span,
        span_start,
        n as n_total
    from mart.touchpoint_segments
    where dimension = 'all'
),

weekly as (
    select
        survey_id,
        'week' as span,
        week as span_start,
        sum(n) as n_weekly
    from mart.ces_weekly
    group by all
)

select
    survey_id,
    span,
    span_start,
    dimension,
    n,
    n_total,
    n_weekly
from split
full join totals using (survey_id, span, span_start)
left join weekly using (survey_id, span, span_start)
where n is distinct from n_total or (span = 'week' and n_weekly is distinct from n_total)
order by survey_id, span, span_start, dimension;
