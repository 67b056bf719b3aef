-- blocking of mart.ces_segments: The segments of these dimensions do not add up to all answers. Delete the published file and run `ces run`, which rebuilds it from the lake. If the check still fails, this is a bug: keep the lake folder and open an issue.
with split as (
    select
        period,
        period_start,
        dimension,
        sum(n) as n
    from mart.ces_segments
    group by all
),

totals as (
    select
        period,
        period_start,
        n as n_total
    from mart.ces_segments
    where dimension = 'all'
),

weekly as (
    select
        'week' as period,
        week as period_start,
        sum(n) as n_weekly
    from mart.ces_weekly
    group by all
)

select
    period,
    period_start,
    dimension,
    n,
    n_total,
    n_weekly
from split
full join totals using (period, period_start)
left join weekly using (period, period_start)
where n is distinct from n_total or (period = 'week' and n_weekly is distinct from n_total)
order by period, period_start, dimension;
